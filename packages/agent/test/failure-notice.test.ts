import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import type { OutputChunk } from '../src/engine/engine.ts'
import { begin } from './support/assigner.ts'
import type { FakeWorld } from './support/fake-agent.ts'
import type { FakeEngine } from './support/fake-engine.ts'
import { assignment } from './support/templates.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)
const last = successorInstanceId(next)
const two = [assignment(), assignment({ instance: 'web-1-x', slot: 1 })]

/** An engine that answers everything, but has not yet found what a container has written. */
function withoutLogs(engine: FakeEngine): void {
  const never: AsyncIterator<OutputChunk> = { next: () => new Promise(() => {}) }
  engine.logs = () => ({ [Symbol.asyncIterator]: () => never })
}

const told = (world: FakeWorld) =>
  world
    .of('status')
    .flatMap(({ reports }) => reports)
    .map(({ instance, observed }) => [instance, observed.state, observed.health, observed.reason])

t.test(
  'that an instance has died is told before anything is known of its last words',
  async (t) => {
    const { world, engine, clock } = await begin(...two)
    withoutLogs(engine)
    world.received.length = 0
    engine.crash('c1', 3)
    await clock.pass(0)
    t.equal(engine.running().length, 2, 'and its successor has been started')
    await clock.pass(5)
    t.same(told(world), [[id, 'running', 'unhealthy', 'exited with code 3']])
    await clock.pass(200)
    engine.crash('c2', 4)
    await clock.pass(5)
    t.same(
      told(world).slice(1),
      [['web-1-x', 'running', 'unhealthy', 'exited with code 4']],
      'nobody waits for another',
    )
    await clock.pass(95)
    t.match(told(world).slice(2), [
      [id, 'failed', 'unhealthy', 'exited with code 3'],
      [next, 'running', 'healthy'],
    ])
    await clock.pass(300)
    t.match(told(world).slice(4), [
      ['web-1-x', 'failed', 'unhealthy', 'exited with code 4'],
      [successorInstanceId('web-1-x'), 'running', 'healthy'],
    ])
    await world.stop()
  },
)

t.test('a successor that dies meanwhile is told of in order', async (t) => {
  const { world, engine, clock } = await begin(assignment())
  withoutLogs(engine)
  world.received.length = 0
  engine.crash('c1', 3)
  await clock.pass(100)
  engine.crash('c2', 4)
  await clock.pass(1000)
  t.match(told(world), [
    [id, 'running', 'unhealthy', 'exited with code 3'],
    [id, 'failed', 'unhealthy', 'exited with code 3'],
    [next, 'failed', 'unhealthy', 'exited with code 4'],
    [last, /created|starting|running/],
  ])
  await world.stop()
})
