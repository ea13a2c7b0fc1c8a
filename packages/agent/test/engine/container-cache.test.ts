import t from 'tap'

import { ownership } from '../../src/core/ownership.ts'
import { ContainerCache } from '../../src/engine/container-cache.ts'
import { container } from '../support/views.ts'

const listed = (instance: string, changes = {}) =>
  container(instance, { startedAtMs: null, ...changes })
const event = { containerId: 'c-a', labels: { [ownership.instance]: 'a' }, atMs: 5000 }
const cache = () => new ContainerCache(ownership.instance)

t.test('a list brings and takes away', async (t) => {
  const all = cache()
  t.same([...all.replace([listed('a'), listed('b')], all.version)], ['a', 'b'])
  t.same([...all.replace([listed('a'), listed('b')], all.version)], [], 'nothing new')
  t.same([...all.replace([listed('b')], all.version)], ['a'])
  t.same(all.ofInstance('a'), [])
  t.equal(all.ofInstance('b').length, 1)
})

t.test('what was learnt after a list was asked for wins', async (t) => {
  const all = cache()
  all.replace([listed('a'), listed('b')], all.version)
  const { version } = all
  all.apply({ kind: 'died', ...event, exitCode: 1 })
  all.put(container('new'))
  all.remove('c-b')
  t.same([...all.replace([listed('a'), listed('b')], version)], [])
  t.equal(all.get('c-a')?.state, 'exited')
  t.ok(all.get('c-new'))
  t.notOk(all.get('c-b'))
  all.replace([listed('a')], all.version)
  t.equal(all.get('c-a')?.state, 'running', 'the next list tells of what is now')
})

t.test('lists do not take away details', async (t) => {
  const all = cache()
  all.put(container('a', { startedAtMs: 77 }))
  all.replace([listed('a')], all.version)
  t.equal(all.get('c-a')?.startedAtMs, 77)
})

t.test('events', async (t) => {
  const all = cache()
  t.equal(all.apply({ kind: 'started', ...event }), 'a', 'of a container that nobody knew')
  t.match(all.get('c-a'), { state: 'running', startedAtMs: 5000 })
  all.apply({ kind: 'oom', ...event })
  all.apply({ kind: 'died', ...event, exitCode: 137, atMs: 6000 })
  t.match(all.get('c-a'), { state: 'exited', exitCode: 137, oomKilled: true, finishedAtMs: 6000 })
  all.apply({ kind: 'started', ...event })
  t.match(all.get('c-a'), { state: 'exited' }, 'told again after a break in the stream')
  all.apply({ kind: 'started', ...event, atMs: 7000 })
  t.match(all.get('c-a'), { state: 'running', oomKilled: false }, 'somebody started it again')
  t.equal(all.apply({ kind: 'removed', ...event }), 'a')
  t.notOk(all.get('c-a'))
})
