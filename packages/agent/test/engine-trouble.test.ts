import { sleep, successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { begin, observed } from './support/assigner.ts'
import type { FakeWorld } from './support/fake-agent.ts'
import { assignment } from './support/templates.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)
const two = [assignment(), assignment({ instance: 'web-1-x', slot: 1 })]

/** Index of the first message by which a control plane may take the engine for a good one; -1: none. */
const allClear = (world: FakeWorld): number =>
  world.received.findIndex(
    ({ kind, ...rest }) =>
      kind === 'heartbeat' && 'engineProblem' in rest && rest.engineProblem === '',
  )

const isServing = (world: FakeWorld, instance: string, count?: number): boolean => {
  const report = world.reports(count).get(instance)
  return report?.observed.state === 'running' && report.observed.health === 'healthy'
}

t.test('that the engine does not answer is said at once', async (t) => {
  const { world, engine, clock } = await begin(...two)
  world.received.length = 0
  engine.down = true
  await clock.pass(0)
  t.match(world.received, [{ kind: 'heartbeat', engineProblem: /ended|ENOENT/ }])
  await world.stop()
})

t.test('that it answers again is said after what it has told', async (t) => {
  const { world, engine, clock } = await begin(...two)
  engine.down = true
  await clock.pass(1500)
  engine.crash('c1', 137)
  engine.vanish('c2', { silently: true })
  const before = world.received.length
  world.received.splice(0, before, ...world.received.filter(({ kind }) => kind !== 'heartbeat'))
  engine.down = false
  await clock.pass(3000)
  const index = allClear(world)
  t.ok(index > 0)
  t.notOk(isServing(world, id, index), 'the first is known to have failed by then')
  t.notOk(isServing(world, 'web-1-x', index), 'and the second')
  t.ok(isServing(world, next))
  await world.stop()
})

t.test('nor does it matter how many reports are still unacknowledged', async (t) => {
  const ten = Array.from({ length: 10 }, (_, slot) =>
    assignment({ instance: `web-${slot}-x`, slot }),
  )
  const { world, engine, clock } = await begin(...ten)
  world.acknowledges = false
  for (const { id: container } of engine.running()) {
    engine.crash(container, 1)
    await clock.pass(20)
  }
  engine.down = true
  await clock.pass(1500)
  for (const { id: container } of engine.running()) engine.crash(container, 137)
  world.received.splice(0, Infinity, ...world.received.filter(({ kind }) => kind !== 'heartbeat'))
  engine.down = false
  await clock.pass(3000)
  t.equal(allClear(world), -1, 'what nobody was told cannot be left behind')
  t.match(world.of('heartbeat').at(-1), { engineProblem: /.+/ })
  world.acknowledges = true
  world.send({ kind: 'status-ack', sequence: 8 })
  await clock.pass(1100)
  const index = allClear(world)
  t.ok(index > 0)
  t.notOk(isServing(world, 'web-1-x', index))
  await world.stop()
})

t.test(
  'an engine that comes back as another one leads to a new session that tells all',
  async (t) => {
    const { world, engine, clock } = await begin(...two)
    engine.down = true
    await clock.pass(1500)
    engine.crash('c1', 137)
    engine.version = '2'
    world.received.length = 0
    engine.down = false
    await clock.pass(4000)
    t.match(world.of('hello').at(-1)?.facts, { engine: { version: '2' } })
    world.welcome()
    await clock.pass(10)
    const inventory = world.of('inventory').at(-1)
    t.match(inventory?.reports[0], { instance: id, observed: { state: 'failed' } })
    t.equal(world.received.at(-1)?.kind, 'heartbeat')
    await world.stop()
  },
)

t.test('an engine that is gone and back between two heartbeats', async (t) => {
  const { world, engine, clock } = await begin(...two)
  world.received.length = 0
  engine.down = true
  await clock.pass(10)
  engine.crash('c1', 137)
  engine.down = false
  await clock.pass(300)
  const problem = world.received.findIndex(
    (message) => message.kind === 'heartbeat' && message.engineProblem !== '',
  )
  t.ok(problem >= 0, 'is told of')
  const index = allClear(world)
  t.ok(index > problem)
  t.notOk(isServing(world, id, index))
  await world.stop()
})

t.test('an agent that begins on an engine that is slow to tell says so', async (t) => {
  const { world, engine, clock } = await begin(...two)
  await world.stop()
  engine.crash('c1', 137)
  const list = engine.list.bind(engine)
  engine.list = async (labels) => {
    await sleep(clock, 8000)
    return list(labels)
  }
  world.received.length = 0
  await world.start()
  await clock.pass(4000)
  world.welcome()
  await clock.pass(10)
  t.match(observed(world, id), { state: 'running' }, 'it knows no better yet')
  t.match(world.of('heartbeat').at(-1), { engineProblem: /has not told/ })
  await clock.pass(6000)
  const index = allClear(world)
  t.ok(index > 0)
  t.notOk(isServing(world, id, index))
  await world.stop()
})
