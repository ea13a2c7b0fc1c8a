import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { Assigner, begin, observed } from './support/assigner.ts'
import { FakeWorld } from './support/fake-agent.ts'
import { assignment, ports, readiness, template } from './support/templates.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)
const network = 'bulkhead-default-application'
const probed = assignment({
  template: template({ ports, health: { readiness, liveness: readiness } }),
})

t.test('a container that somebody pauses', async (t) => {
  const { world, engine, clock } = await begin(probed)
  t.match(observed(world, id), { state: 'running', health: 'healthy' })
  engine.pause('c1', true)
  world.answers.set(id, { ok: false, detail: 'no answer in time' })
  await clock.pass(10)
  t.match(observed(world, id), {
    state: 'running',
    health: 'unhealthy',
    healthySinceMs: null,
    reason: /somebody has paused its container.*docker unpause bulkhead-web-0-aaaaaaaa/,
  })
  await clock.pass(60_000)
  t.match(
    observed(world, id),
    { state: 'running', reason: /paused/ },
    'nobody holds its silence against it',
  )
  world.answers.delete(id)
  engine.pause('c1', false)
  await clock.pass(1100)
  t.match(observed(world, id), { state: 'running', health: 'healthy' })
  t.equal(engine.calls.filter((call) => call === 'create').length, 1)
  await world.stop()
})

t.test('a paused container that is no longer wanted goes', async (t) => {
  const { world, assigner, engine, clock } = await begin(assignment())
  engine.pause('c1', true)
  await clock.pass(10)
  assigner.delta([assignment({ desired: 'stop', cause: 'deleted' })])
  await clock.pass(100)
  t.match(observed(world, id), { state: 'stopped' })
  await world.stop()
})

t.test('a container that somebody takes off its network is replaced', async (t) => {
  const { world, engine, clock } = await begin(probed)
  engine.disconnect('c1')
  await clock.pass(300)
  t.match(observed(world, id), {
    state: 'failed',
    reason:
      /^its container was disconnected from the network bulkhead-default-application by somebody else/,
  })
  t.match(observed(world, next), { state: 'running', health: 'healthy' })
  await world.stop()
})

t.test('that a container ends, and so leaves its network, is no such thing', async (t) => {
  const { world, engine, clock } = await begin(assignment())
  engine.crash('c1', 3)
  engine.disconnect('c1')
  await clock.pass(300)
  t.match(observed(world, id), { state: 'failed', reason: /exited with code 3/ })
  await world.stop()
})

t.test('a network that somebody removes', async (t) => {
  const world = new FakeWorld()
  const { engine, clock } = world
  await world.start({ preparedSuccessors: 10 })
  world.welcome()
  const assigner = new Assigner(world)
  assigner.full(assignment())
  await clock.pass(3500)
  t.same([...engine.containers.keys()], ['c1', 'c2'], 'with a successor that is prepared')
  engine.disconnect('c1')
  engine.removeNetworkByHand(network)
  await clock.pass(0)
  t.ok(engine.networks.has(network), 'is made anew at once')
  await clock.pass(500)
  t.notOk(engine.containers.has('c2'), 'what was made for the old one would not do')
  t.match(observed(world, next), { state: 'running', health: 'healthy' })
  assigner.full()
  await clock.pass(20_000)
  engine.removeNetworkByHand(network)
  assigner.full(assignment({ instance: 'web-1-x', slot: 1 }))
  await clock.pass(500)
  t.match(observed(world, 'web-1-x'), { state: 'running' }, 'also when nothing was on it')
  await world.stop()
})

t.test('a network that went unseen is missed at the start', async (t) => {
  const world = new FakeWorld()
  const { engine, clock } = world
  await world.start({ preparedSuccessors: 10 })
  world.welcome()
  new Assigner(world).full(assignment())
  await clock.pass(3500)
  engine.networks.clear()
  engine.crash('c1', 1)
  await clock.pass(500)
  t.match(observed(world, next), { state: 'running', health: 'healthy' })
  t.ok(engine.networks.has(network))
  await world.stop()
})
