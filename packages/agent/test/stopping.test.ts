import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { begin, observed } from './support/assigner.ts'
import { assignment, ports, template } from './support/templates.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)

t.test('stopping drains, asks, insists and says so', async (t) => {
  const wanted = assignment({
    template: template({ ports, stop: { drainMs: 2000, graceMs: 3000 } }),
  })
  const { world, engine, assigner } = await begin(wanted)
  engine.obeys = false
  assigner.delta([{ ...wanted, desired: 'stop', cause: 'scaled down' }])
  await world.clock.pass(20)
  t.match(observed(world, id), { state: 'draining', reason: 'scaled down' })
  await world.clock.pass(1900)
  t.notOk(engine.calls.includes('signal SIGTERM'))
  await world.clock.pass(100)
  t.ok(engine.calls.includes('signal SIGTERM'))
  t.match(observed(world, id), { state: 'stopping' })
  await world.clock.pass(2900)
  t.notOk(engine.calls.includes('signal SIGKILL'))
  await world.clock.pass(200)
  t.match(observed(world, id), { state: 'stopped', exitCode: 137, reason: /SIGKILL.*scaled down/ })
  t.equal(engine.containers.size, 0)
  assigner.delta([], [id])
  await world.clock.pass(50)
  await world.stop()
  await world.start()
  world.welcome()
  await world.clock.pass(10)
  t.same(world.of('inventory').at(-1)?.reports, [], 'it is forgotten')
  await world.stop()
})

t.test('what is killed gets the processor time that it needs to end', async (t) => {
  for (const [cpuMillis, room] of [
    [50, ['limitCpu c1 1000']],
    [2000, []],
  ] as const) {
    const resources = { cpuMillis, memoryBytes: 2 ** 24, pids: 100 }
    const wanted = assignment({
      template: template({ resources, stop: { drainMs: 0, graceMs: 1000 } }),
    })
    const { world, engine, assigner } = await begin(wanted)
    engine.obeys = false
    assigner.delta([{ ...wanted, desired: 'stop', cause: 'scaled down' }])
    await world.clock.pass(900)
    t.same(
      engine.calls.filter((call) => call.startsWith('limitCpu c1')),
      [],
      'not before it is killed',
    )
    await world.clock.pass(200)
    t.ok(engine.calls.includes('signal SIGKILL'))
    t.same(
      engine.calls.filter((call) => call.startsWith('limitCpu c1')),
      room,
    )
    t.equal(engine.containers.size, 0)
    await world.stop()
  }
})

t.test('what the full set lacks is stopped with its successors', async (t) => {
  const { world, engine, assigner } = await begin(assignment())
  engine.crash('c1', 1)
  await world.clock.pass(100)
  assigner.full()
  await world.clock.pass(100)
  t.equal(engine.containers.size, 0)
  t.match(observed(world, next), { state: 'stopped' })
  await world.stop()
})

t.test('the last report of what is forgotten outlives a broken session', async (t) => {
  const { world, assigner } = await begin(assignment())
  world.received.length = 0
  assigner.full()
  await world.clock.pass(0)
  world.reachable = false
  await world.clock.pass(1000)
  world.reachable = true
  await world.clock.pass(6000)
  world.welcome()
  await world.clock.pass(10)
  t.match(world.of('inventory')[0]?.reports, [{ instance: id, observed: { state: 'stopped' } }])
  await world.stop()
})
