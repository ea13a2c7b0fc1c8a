import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { EngineError } from '../src/engine/engine.ts'
import { Assigner, begin, observed } from './support/assigner.ts'
import { FakeWorld } from './support/fake-agent.ts'
import { assignment, ports, readiness, template } from './support/templates.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)

t.test('readiness and liveness', async (t) => {
  const liveness = { ...readiness, check: { kind: 'exec' as const, command: ['x'] } }
  const { world, engine } = await begin(
    assignment({ template: template({ ports, health: { readiness } }) }),
  )
  t.match(observed(world, id), { state: 'running', health: 'healthy' })
  world.answers.set(id, { ok: false, detail: 'HTTP 503' })
  await world.clock.pass(2100)
  t.match(observed(world, id), {
    health: 'unhealthy',
    reason: 'its readiness probe failed: HTTP 503',
    healthySinceMs: null,
  })
  t.equal(engine.calls.filter((call) => call === 'create').length, 1, 'it is left alone')
  await world.stop()
  const second = await begin(assignment({ template: template({ ports, health: { liveness } }) }))
  second.world.answers.set(id, { ok: false, detail: 'exit code 1' })
  await second.world.clock.pass(2100)
  t.match(observed(second.world, id), {
    state: 'failed',
    reason: /^its liveness probe failed 2 times in a row: exit code 1/,
  })
  t.match(observed(second.world, next), { state: 'running' })
  await second.world.stop()
})

t.test('images', async (t) => {
  const image = { name: 'r/web:1', reference: 'r/web@sha256:1', digest: 'sha256:1', local: false }
  const two = [0, 1].map((slot) =>
    assignment({ instance: `web-${slot}-x`, slot, template: template({ image }) }),
  )
  const { world, engine } = await begin(...two)
  t.equal(engine.running().length, 2)
  t.equal(engine.calls.filter((call) => call.startsWith('pull')).length, 1, 'pulled once for both')
  await world.stop()
  const failing = new FakeWorld()
  failing.engine.pull = async () => {
    throw new EngineError('pull-failed', 'manifest unknown')
  }
  await failing.start()
  failing.welcome()
  new Assigner(failing).full(...two)
  await failing.clock.pass(50)
  t.match(observed(failing, 'web-1-x'), {
    state: 'failed',
    neverStarted: true,
    reason: 'the image r/web:1 could not be pulled: manifest unknown',
  })
  await failing.clock.pass(60_000)
  t.equal(failing.engine.containers.size, 0, 'left to the control plane')
  await failing.stop()
})

t.test('a pull tells how far it has got, and can be called off', async (t) => {
  const image = { name: 'r/web:1', reference: 'r/web@sha256:1', digest: 'sha256:1', local: false }
  const { world, engine, assigner } = await begin()
  engine.pullMs = 10_000
  const slow = assignment({ template: template({ image }) })
  assigner.delta([slow])
  await world.clock.pass(100)
  t.match(observed(world, id), { state: 'pulling', reason: 'the image r/web:1 is being pulled' })
  await world.clock.pass(5000)
  t.match(observed(world, id), { reason: 'the image r/web:1 is being pulled: 1 of 2 layers' })
  assigner.delta([{ ...slow, desired: 'stop', cause: 'deleted' }])
  await world.clock.pass(50)
  t.match(observed(world, id), { state: 'stopped', reason: /never started.*deleted/ })
  await world.stop()
})

t.test('networks that nobody uses are given back', async (t) => {
  const { world, engine, assigner } = await begin(assignment())
  await world.clock.pass(20 * 60_000)
  t.notOk(engine.calls.some((call) => call.startsWith('removeNetwork')))
  assigner.full()
  await world.clock.pass(9 * 60_000)
  t.notOk(engine.calls.some((call) => call.startsWith('removeNetwork')))
  await world.clock.pass(3 * 60_000)
  t.ok(engine.calls.includes('removeNetwork bulkhead-default-application'))
  t.equal(world.served.size, 0)
  assigner.full(assignment())
  await world.clock.pass(100)
  t.equal(engine.running().length, 1)
  t.equal(world.served.size, 1)
  await world.stop()
})

t.test('a port that is still taken is waited for, not for ever', async (t) => {
  const { world, engine, assigner } = await begin()
  const taken = new EngineError('port-taken', 'port is already allocated')
  engine.fail('start', taken, taken)
  assigner.delta([assignment()])
  await world.clock.pass(300)
  t.match(observed(world, id), { state: 'running' })
  engine.fail('start', ...Array.from({ length: 9 }, () => taken))
  assigner.delta([assignment({ instance: 'web-1-x', slot: 1 })])
  await world.clock.pass(5000)
  t.match(observed(world, 'web-1-x'), {
    state: 'failed',
    neverStarted: true,
    reason: /already allocated/,
  })
  t.equal(engine.containers.size, 1, 'and its container is removed')
  await world.stop()
})

t.test('a successor is ready before it is needed', async (t) => {
  const world = new FakeWorld()
  await world.start({ preparedSuccessors: 10 })
  world.welcome()
  const assigner = new Assigner(world)
  assigner.full(assignment())
  const { engine, clock } = world
  await clock.pass(1500)
  t.equal(engine.containers.size, 1)
  await clock.pass(2000)
  t.same(
    [...engine.containers.values()].map(({ state }) => state),
    ['running', 'created'],
  )
  engine.calls.length = 0
  engine.crash('c1', 1)
  await clock.pass(0)
  t.same(
    engine.calls.filter((call) => call !== 'logs'),
    ['start', 'limitCpu c2 100'],
  )
  assigner.full()
  await clock.pass(20_000)
  t.equal(engine.containers.size, 0, 'and goes with its instance')
  await world.stop()
})
