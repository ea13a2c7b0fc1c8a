import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { EngineError } from '../src/engine/engine.ts'
import { begin, observed } from './support/assigner.ts'
import { assignment } from './support/templates.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)

t.test('a session begins in order', async (t) => {
  const { world } = await begin()
  t.same(
    world.received.slice(0, 3).map(({ kind }) => kind),
    ['hello', 'inventory', 'heartbeat'],
  )
  t.match(world.of('hello')[0]?.facts, { address: '10.0.0.1', engine: { os: 'debian' } })
  await world.stop()
})

t.test('what is assigned runs', async (t) => {
  const three = [0, 1, 2].map((slot) => assignment({ instance: `web-${slot}-x`, slot }))
  const { world, engine } = await begin(...three)
  t.equal(engine.running().length, 3)
  t.match(observed(world, 'web-1-x'), { state: 'running', health: 'healthy', reason: /.+/ })
  t.same(
    engine.calls.filter((call) => !['ping', 'facts', 'list', 'events'].includes(call)),
    ['ensureNetwork', 'create', 'create', 'create', 'start', 'start', 'start'],
    'no call too many',
  )
  t.ok(world.of('status').length <= 2, 'reports travel together')
  await world.stop()
})

t.test('a crash is answered at once and told with its cause', async (t) => {
  const { world, engine } = await begin(assignment())
  const [first] = engine.running()
  engine.logLines.set(first?.id ?? '', 'listening\nfatal: no \u001B[31mdatabase\n')
  engine.crash(first?.id ?? '', 3)
  await world.clock.pass(0)
  t.equal(engine.running().length, 1, 'no time has passed')
  await world.clock.pass(20)
  const status = world.of('status').at(-1)
  t.same(
    status?.reports.map((report) => [
      report.instance,
      report.origin,
      report.observed.state,
      report.attempt,
    ]),
    [
      [id, id, 'failed', 0],
      [next, id, 'running', 1],
    ],
  )
  t.equal(
    status?.reports[0]?.observed.reason,
    String.raw`exited with code 3: fatal: no \u{001b}[31mdatabase`,
  )
  t.equal(status?.reports[1]?.predecessor, id)
  await world.stop()
})

t.test('out of memory is called that', async (t) => {
  const { world, engine } = await begin(assignment())
  engine.crash('c1', 137, { oom: true })
  await world.clock.pass(20)
  t.match(observed(world, id), { reason: 'out of memory: killed at its limit of 64 MiB' })
  await world.stop()
})

t.test('crashes in a row are answered more and more slowly', async (t) => {
  const { world, engine } = await begin(assignment())
  const delays: number[] = []
  for (let crash = 0; crash < 9; crash++) {
    engine.crash(engine.running()[0]?.id ?? '', 1)
    const sinceMs = world.clock.nowMs()
    while (engine.running().length === 0) await world.clock.pass(100)
    delays.push(Math.round((world.clock.nowMs() - sinceMs) / 1000))
  }
  t.same(delays, [0, 1, 2, 4, 8, 16, 32, 60, 60])
  await world.clock.pass(600_000)
  engine.crash(engine.running()[0]?.id ?? '', 1)
  await world.clock.pass(10)
  t.equal(engine.running().length, 1, 'after a long run it is the first again')
  t.equal([...world.reports().values()].at(-1)?.attempt, 1)
  await world.stop()
})

t.test('alone, the agent goes on; the inventory tells what happened', async (t) => {
  const { world, engine, assigner } = await begin(assignment())
  world.reachable = false
  for (let crash = 0; crash < 3; crash++) {
    engine.crash(engine.running()[0]?.id ?? '', 1)
    await world.clock.pass(10_000)
  }
  t.equal(engine.running().length, 1)
  world.reachable = true
  world.received.length = 0
  await world.clock.pass(6000)
  world.welcome()
  await world.clock.pass(10)
  const third = successorInstanceId(successorInstanceId(next))
  t.match(
    world
      .of('inventory')[0]
      ?.reports.map((report) => [report.instance, report.origin, report.observed.state]),
    [
      [id, id, 'failed'],
      [next, id, 'failed'],
      [successorInstanceId(next), id, 'failed'],
      [third, id, 'running'],
    ],
  )
  assigner.full(assignment({ instance: third, attempt: 3 }))
  await world.clock.pass(100)
  t.equal(engine.running().length, 1, 'the successor is what is assigned now')
  await world.stop()
})

t.test('while the engine does not answer nothing is concluded', async (t) => {
  const { world, engine, assigner } = await begin(assignment())
  engine.down = true
  await world.clock.pass(3000)
  t.match(world.of('heartbeat').at(-1)?.engineProblem, /ENOENT/)
  t.match(observed(world, id), { state: 'running', health: 'healthy' })
  assigner.delta([assignment({ instance: 'web-1-x', slot: 1 })])
  engine.crash('c1', 9)
  await world.clock.pass(60_000)
  t.match(observed(world, id), { state: 'running', health: 'healthy' })
  t.match(observed(world, 'web-1-x'), { state: 'assigned' })
  engine.down = false
  await world.clock.pass(3000)
  t.equal(world.of('heartbeat').at(-1)?.engineProblem, '')
  t.match(observed(world, id), { state: 'failed', exitCode: 9 })
  t.equal(engine.running().length, 2)
  await world.stop()
})

t.test('an answer that never came is looked for, not repeated', async (t) => {
  const { world, engine, assigner } = await begin()
  const create = engine.create.bind(engine)
  engine.create = async (spec) => {
    engine.create = create
    await create(spec)
    throw new EngineError('unreachable', 'the engine did not answer within 120000 ms')
  }
  assigner.delta([assignment()])
  await world.clock.pass(100)
  t.equal(engine.containers.size, 1)
  t.equal(engine.running().length, 1)
  await world.stop()
})

t.test('a broken chain of changes is noticed', async (t) => {
  const { world, assigner } = await begin()
  world.send({ kind: 'assignments', from: 77, revision: 78, upserts: [assignment()], removes: [] })
  t.match(world.of('resync'), [{ reason: /77/ }])
  assigner.full(assignment())
  await world.clock.pass(50)
  t.match(observed(world, id), { state: 'running' })
  t.equal(world.of('resync').length, 1)
  await world.stop()
})

t.test('rules that change within a session are taken without a new inventory', async (t) => {
  const { world } = await begin()
  world.welcome()
  await world.clock.pass(10)
  t.equal(world.of('inventory').length, 1)
  await world.stop()
})

t.test('what is no message ends the session, and a new one begins', async (t) => {
  const { world, engine } = await begin(assignment())
  world.sendText('{"kind":"welcome"}')
  await world.clock.pass(1000)
  t.equal(world.of('hello').length, 2)
  t.equal(engine.running().length, 1)
  await world.stop()
})

t.test('a server that falls silent is left', async (t) => {
  const { world } = await begin()
  world.answersHeartbeats = false
  await world.clock.pass(3000)
  t.equal(world.of('hello').length, 1)
  await world.clock.pass(4000)
  t.equal(world.of('hello').length, 2)
  await world.stop()
})

t.test('reports that are not acknowledged are told again', async (t) => {
  const { world, engine } = await begin(assignment())
  world.acknowledges = false
  engine.crash('c1', 1)
  await world.clock.pass(28_000)
  t.equal(world.of('hello').length, 1)
  await world.clock.pass(5000)
  t.equal(world.of('hello').length, 2)
  world.welcome()
  await world.clock.pass(10)
  t.equal(world.of('inventory').at(-1)?.reports.length, 2)
  await world.stop()
})

t.test('streams', async (t) => {
  const { world, engine } = await begin(assignment())
  engine.logLines.set('c1', 'hello\n')
  const request = { kind: 'logs', follow: false, sinceMs: null, tail: 5 } as const
  world.send({ kind: 'stream-open', stream: 1, instance: id, request })
  world.send({
    kind: 'stream-open',
    stream: 2,
    instance: id,
    request: { kind: 'exec', command: ['echo', 'hi'] },
  })
  world.send({ kind: 'stream-open', stream: 3, instance: id, request: { kind: 'stats' } })
  world.send({ kind: 'stream-open', stream: 4, instance: 'nobody', request: { kind: 'stats' } })
  await world.clock.pass(10)
  const text = (stream: number) =>
    world
      .of('stream-data')
      .filter((message) => message.stream === stream)
      .map(({ channel, data }) => `${channel} ${Buffer.from(data, 'base64').toString()}`)
  t.same(text(1), ['stderr hello\n'])
  t.same(text(2), ['stdout echo hi\n'])
  t.same(text(3), ['stdout {"cpuMillis":12,"memoryBytes":34,"pids":1}\n'])
  const ends = new Map(world.of('stream-end').map((message) => [message.stream, message]))
  t.match(ends.get(1), { exitCode: null, error: '' })
  t.match(ends.get(2), { exitCode: 7, error: '' })
  t.match(ends.get(3), { exitCode: null, error: '' })
  t.match(ends.get(4), { error: /no container/ })
  await world.stop()
})

t.test('a container that somebody removed silently is missed at the next look', async (t) => {
  const { world, engine } = await begin(assignment())
  engine.vanish('c1', { silently: true })
  await world.clock.pass(31_000)
  t.match(observed(world, id), {
    state: 'failed',
    reason: 'its container was removed by somebody else',
  })
  t.equal(engine.running().length, 1)
  await world.stop()
})
