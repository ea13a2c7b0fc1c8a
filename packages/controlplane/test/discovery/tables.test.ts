import { unobserved, type Instance } from '@bulkhead/shared'
import t, { type Test } from 'tap'

import { Tables } from '../../src/discovery/tables.ts'
import type { State } from '../../src/state/state.ts'
import { aNode, anInstance, aRevision, aService } from '../state/fixtures.ts'
import { admin, openForTest } from '../state/open-for-test.ts'

const key = 'prod/web'
const serving: Instance = anInstance('web-0', {
  node: 'n1',
  hostPorts: { http: 20_000 },
  observed: { ...unobserved, state: 'running', health: 'healthy' },
})

async function opened(t: Test): Promise<{ state: State; tables: Tables; touched: string[][] }> {
  const { state } = await openForTest()
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const tables = new Tables(state.view)
  const touched: string[][] = []
  state.feed.subscribe((commit) => tables.follow([commit]), stop.signal)
  tables.listen((keys) => touched.push([...keys.keys()]))
  await state.write(admin, (tx) => {
    tx.putRevision(aRevision(key, 1))
    tx.putService(aService(key))
    tx.putNode(aNode('n1'))
    tx.putInstance(serving)
  })
  touched.length = 0
  return { state, tables, touched }
}

const instances = (tables: Tables): readonly string[] | undefined =>
  tables.get(key)?.endpoints.map(({ instance }) => instance)

t.test('a table follows what serves', async (t) => {
  const { state, tables, touched } = await opened(t)
  t.strictSame(instances(tables), ['web-0'])
  const { observed } = serving
  await state.write(admin, (tx) => {
    tx.putInstance({ ...serving, observed: { ...observed, health: 'unhealthy' } })
  })
  t.strictSame(touched, [[key]])
  t.strictSame(instances(tables), [])
  await state.write(admin, (tx) => tx.putInstance(serving))
  t.strictSame(instances(tables), ['web-0'])
  const node = state.view.nodes.get('n1') ?? aNode('n1')
  await state.write(admin, (tx) => tx.putNode({ ...node, liveness: 'lost' }))
  t.strictSame(instances(tables), [])
})

t.test('what changes no endpoint leaves the table the same object', async (t) => {
  const { state, tables, touched } = await opened(t)
  const before = tables.get(key)
  const node = state.view.nodes.get('n1') ?? aNode('n1')
  const { observed } = serving
  await state.write(admin, (tx) => {
    tx.putInstance({ ...serving, observed: { ...observed, reason: 'as ever' } })
    tx.putInstance(anInstance('web-1', { slot: 1, node: 'n1' }))
    tx.putNode({ ...node, liveness: 'suspect' })
    tx.putService({ ...aService(key), status: 'degraded' })
  })
  t.strictSame(touched, [])
  t.equal(tables.get(key), before)
  await state.write(admin, (tx) => {
    tx.putInstance({ ...serving, observed: { ...observed, health: 'unhealthy' } })
  })
  await state.write(admin, (tx) => tx.putInstance(serving))
  t.equal(tables.get(key), before, 'nor does what is taken back before anybody has looked')
})

t.test('the last table of a service that is gone has no endpoints', async (t) => {
  const { state, tables } = await opened(t)
  tables.get(key)
  const last: unknown[] = []
  tables.listen((touched) => last.push(touched.get(key)?.endpoints))
  await state.write(admin, (tx) => {
    tx.deleteInstance('web-0')
    tx.deleteService(key)
    tx.deleteRevision(key, 1)
  })
  t.strictSame(last, [[]])
  t.equal(tables.get(key), undefined)
  t.strictSame([...tables.all()], [])
})
