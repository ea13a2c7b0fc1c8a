import { type ToAgentMessage, wireVersion } from '@bulkhead/shared'
import t from 'tap'

import { FakeWorld } from '../support/fake-agent.ts'
import { assignment, template } from '../support/templates.ts'

const welcome = (heartbeatMs: number): ToAgentMessage => ({
  kind: 'welcome',
  wireVersion,
  cluster: 'c',
  node: 'n',
  heartbeatMs,
  leaseMs: 15_000,
  registries: [],
})

t.test('heartbeats are neither too many nor too few, whatever is asked for', async (t) => {
  for (const [askedMs, atLeast, atMost] of [
    [-5, 5, 15],
    [0, 5, 15],
    [Number.MAX_SAFE_INTEGER, 1, 1],
  ] as const) {
    const world = new FakeWorld()
    await world.start()
    world.send(welcome(askedMs))
    await world.clock.pass(1000)
    const count = world.of('heartbeat').length
    t.ok(count >= atLeast && count <= atMost, `${count} in a second of ${askedMs}`)
    await world.stop()
  }
})

t.test('a server that is silent is noticed, whatever it asked for', async (t) => {
  const world = new FakeWorld()
  world.answersHeartbeats = false
  await world.start()
  world.send(welcome(Number.MAX_SAFE_INTEGER))
  await world.clock.pass(600_000)
  t.ok(world.of('hello').length > 1, 'it has connected anew')
  await world.stop()
})

t.test('orders that no document can give are not taken', async (t) => {
  const probe = {
    check: { kind: 'tcp', port: 'http' },
    intervalMs: 0,
    timeoutMs: 100,
    failures: 1,
    successes: 1,
  } as const
  const world = new FakeWorld()
  await world.start()
  world.welcome()
  const health = { startup: null, readiness: probe, liveness: null }
  const upserts = [assignment({ template: template({ health }) })]
  world.send({ kind: 'assignments', from: null, revision: 1, upserts, removes: [] })
  await world.clock.pass(1000)
  t.same(world.engine.running(), [])
  t.ok(world.of('hello').length > 1, 'the connection is closed and opened again')
  await world.stop()
})
