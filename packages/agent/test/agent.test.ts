import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { question, readAnswer } from '../../shared/test/dns/support.ts'
import { ownership } from '../src/core/ownership.ts'
import { EngineError } from '../src/engine/engine.ts'
import { Assigner, begin, observed } from './support/assigner.ts'
import { aTable } from './support/endpoints.ts'
import { FakeWorld } from './support/fake-agent.ts'
import { assignment, ports, readiness, template } from './support/templates.ts'

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

t.test('a new process of the agent adopts what runs', async (t) => {
  const { world, engine, assigner } = await begin(
    assignment({ template: template({ ports, health: { readiness } }) }),
  )
  engine.crash('c1', 1)
  await world.clock.pass(1000)
  t.match(observed(world, next), { health: 'healthy' })
  await world.stop()
  engine.calls.length = 0
  world.received.length = 0
  await world.start()
  world.welcome()
  await world.clock.pass(10)
  t.match(world.of('inventory')[0]?.reports, [
    { instance: id, origin: id, observed: { state: 'failed' } },
    { instance: next, origin: id, attempt: 1, observed: { state: 'running', health: 'healthy' } },
  ])
  assigner.full(
    assignment({
      instance: next,
      attempt: 1,
      template: template({ ports, health: { readiness } }),
    }),
  )
  await world.clock.pass(5000)
  t.notOk(engine.calls.some((call) => /create|start|signal/.test(call)))
  t.same(
    engine.running().map((container) => container.id),
    ['c2'],
  )
  t.match(observed(world, next), { health: 'healthy' }, 'its health is not asked anew')
  await world.stop()
})

t.test('what ended while no agent watched is answered when one is back', async (t) => {
  const { world, engine } = await begin(assignment())
  await world.stop()
  engine.crash('c1', 5)
  await world.start()
  t.equal(engine.running().length, 1)
  world.welcome()
  await world.clock.pass(10)
  t.match(world.of('inventory').at(-1)?.reports, [
    { observed: { state: 'failed', exitCode: 5 } },
    { observed: { state: 'running' } },
  ])
  await world.stop()
})

t.test('a damaged journal is rebuilt from containers', async (t) => {
  const { world, engine, assigner } = await begin(assignment())
  engine.crash('c1', 1)
  await world.clock.pass(100)
  await world.stop()
  world.storage.data = Buffer.from('rubbish\n')
  await world.start()
  world.welcome()
  await world.clock.pass(10)
  t.match(world.of('inventory').at(-1)?.reports, [
    { instance: next, origin: id, predecessor: id, attempt: 1, observed: { state: 'running' } },
  ])
  t.equal(engine.running().length, 1, 'nothing is removed before the control plane has spoken')
  assigner.full(assignment())
  await world.clock.pass(100)
  t.same(
    engine.running().map((container) => container.id),
    ['c2'],
  )
  t.match(observed(world, next), { state: 'running', health: 'healthy' })
  await world.stop()
})

t.test('only what is ours, and only after a full set, is removed', async (t) => {
  const world = new FakeWorld()
  const own = { [ownership.cluster]: 'c', [ownership.node]: 'n', [ownership.instance]: 'gone-0-x' }
  const all = [own, {}, { ...own, [ownership.node]: 'm' }, { ...own, [ownership.cluster]: 'd' }]
  for (const [index, labels] of all.entries()) {
    const rest = {
      startedAtMs: 1,
      finishedAtMs: null,
      exitCode: null,
      oomKilled: false,
      error: '',
      address: '',
      isDetached: false,
    }
    world.engine.containers.set(`f${index}`, {
      id: `f${index}`,
      name: `f${index}`,
      labels,
      state: 'running',
      ...rest,
    })
  }
  await world.start()
  world.welcome()
  await world.clock.pass(40_000)
  t.equal(world.engine.running().length, 4)
  t.equal(world.of('inventory')[0]?.unmanaged, 3)
  new Assigner(world).full()
  await world.clock.pass(100)
  t.same(
    world.engine.running().map((container) => container.id),
    ['f1', 'f2', 'f3'],
  )
  await world.stop()
})

function withStray(): FakeWorld {
  const world = new FakeWorld()
  const labels = {
    [ownership.cluster]: 'c',
    [ownership.node]: 'n',
    [ownership.instance]: id,
    [ownership.service]: 'default/web',
    [ownership.slot]: '0',
    [ownership.revision]: '1',
  }
  world.engine.containers.set('f', {
    id: 'f',
    name: 'f',
    labels,
    state: 'running',
    startedAtMs: 1,
    finishedAtMs: null,
    exitCode: null,
    oomKilled: false,
    error: '',
    address: '',
    isDetached: false,
  })
  return world
}

t.test(
  'before the engine has told what there is, the agent does not say that this is all',
  async (t) => {
    const world = withStray()
    world.engine.down = true
    await world.start()
    await world.clock.pass(5000)
    world.welcome()
    await world.clock.pass(100)
    t.match(world.of('inventory'), [{ reports: [], isPartial: true }])
    new Assigner(world).full()
    await world.clock.pass(5000)
    world.engine.down = false
    await world.clock.pass(5000)
    world.welcome()
    await world.clock.pass(100)
    t.match(world.of('inventory')[1], { reports: [{ instance: id }] })
    t.equal(world.of('inventory')[1]?.isPartial, undefined, 'and begins anew when it has')
    await world.stop()
  },
)

t.test('what is removed without a record of it is told of', async (t) => {
  const world = withStray()
  await world.start()
  world.welcome()
  await world.clock.pass(100)
  t.match(observed(world, id), { state: 'running' }, 'the control plane may have given it up')
  new Assigner(world).full()
  await world.clock.pass(100)
  t.equal(world.engine.running().length, 0)
  t.match(observed(world, id), { state: 'stopped', reason: /no assignment accounts for it/ })
  await world.stop()
})

t.test('what no record accounts for is removed, however often the engine refuses', async (t) => {
  const world = withStray()
  const refused = new EngineError('refused', 'device or resource busy')
  world.engine.fail('remove', refused, refused, refused)
  await world.start()
  world.welcome()
  new Assigner(world).full()
  await world.clock.pass(100)
  t.equal(world.engine.containers.size, 1)
  await world.clock.pass(20_000)
  t.equal(world.engine.containers.size, 0)
  await world.stop()
})

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

t.test('discovery knows who asks, and outlives the control plane', async (t) => {
  const { world, engine } = await begin(assignment())
  const endpoint = {
    instance: 'db-0-x',
    node: 'n',
    zone: 'data',
    port: 'pg',
    address: '10.0.0.2',
    hostPort: 25000,
    weight: 100,
  }
  const tables = [aTable('default/db', 'data', 5, [endpoint])]
  world.send({ kind: 'endpoints', full: true, revision: 5, tables })
  await engine.inspect('c1')
  await world.clock.pass(31_000)
  t.match(world.of('endpoints-applied'), [{ revision: 5 }])
  const ask = async (from: string, url = '/v1/discovery/default/db') =>
    world.served.get('172.20.0.1:7071')?.({ method: 'GET', url, from })
  const answer = await ask('172.20.1.1')
  t.equal(answer?.status, 200)
  t.same(JSON.parse(answer?.body ?? ''), {
    service: 'db',
    environment: 'default',
    revision: 5,
    endpoints: [endpoint],
  })
  t.match(await ask('::ffff:172.20.1.1'), { status: 200 })
  t.match(await ask('172.20.1.99'), { status: 403, contentType: 'application/problem+json' })
  t.match(await ask('172.20.1.1', '/v1/discovery/other/db'), { status: 403 })
  t.match(await ask('172.20.1.1', '/v1/discovery/default/web'), { status: 404 })
  t.match(await ask('172.20.1.1', '/nothing'), { status: 404 })
  t.match(await ask('172.20.1.99', '/healthz'), { status: 200 })
  world.reachable = false
  await world.stop()
  await world.start()
  await world.clock.pass(1000)
  t.match(await ask('172.20.1.1'), { status: 200 })
  await world.stop()
})

t.test('names are found by those who may reach them, and outlive the control plane', async (t) => {
  const { world, engine } = await begin(assignment())
  const pg = { port: 5432, protocol: 'tcp', mode: 'tcp', clientAddress: 'none' } as const
  const at = (address: string, instance: string) =>
    ({
      instance,
      node: 'n',
      zone: 'data',
      port: 'pg',
      address,
      hostPort: 25000,
      weight: 100,
    }) as const
  const tables = [
    aTable('default/db', 'data', 5, [at('10.0.0.2', 'db-0-x')], { ports: { pg } }),
    aTable('default/front', 'presentation', 5, [at('10.0.0.3', 'front-0-x')], { ports: { pg } }),
    aTable('test/db', 'data', 5, [at('10.0.0.4', 'db-0-y')], { ports: { pg } }),
  ]
  world.send({ kind: 'endpoints', full: true, revision: 5, tables })
  await engine.inspect('c1')
  await world.clock.pass(31_000)
  const ask = async (name: string, type: 'A' | 'AAAA' | 'SRV' = 'A', from = '172.20.1.1') => {
    const message = question(name, type)
    const handler = world.names.get('172.20.0.1:53')
    return readAnswer(await handler?.({ message, transport: 'udp', from }))
  }
  t.same(await ask('db.default.bulkhead'), { code: 0, answers: ['10.0.0.2'] })
  world.servesAddresses = true
  world.send({ kind: 'endpoints', full: false, revision: 6, tables: [] })
  await world.clock.pass(100)
  t.same(await ask('db.default.bulkhead'), { code: 0, answers: ['10.231.0.1'] })
  const target = 'db-0-x.db.default.bulkhead'
  t.same(await ask('_pg._tcp.db.default.bulkhead', 'SRV'), {
    code: 0,
    answers: [`${target}:25000`],
  })
  t.same(await ask(target), { code: 0, answers: ['10.0.0.2'] })
  t.same(
    await ask('front.default.bulkhead'),
    { code: 3, answers: [] },
    'a zone that it does not reach',
  )
  t.same(await ask('none.default.bulkhead'), { code: 3, answers: [] })
  t.same(await ask('db.test.bulkhead'), { code: 3, answers: [] }, 'another environment')
  t.same(
    await ask('db.default.bulkhead', 'A', '172.21.0.99'),
    { code: 5, answers: [] },
    'a stranger',
  )
  t.same(
    await ask('db.default.bulkhead', 'A', '172.20.0.1'),
    { code: 5, answers: [] },
    'the host itself',
  )
  t.same(await ask('example.com'), { code: 5, answers: [] }, 'nobody looks it up')
  t.match(engine.specs.get('c1')?.resolver, {
    servers: ['172.20.0.1'],
    search: ['default.bulkhead', 'bulkhead'],
  })
  world.reachable = false
  await world.stop()
  t.same(
    await ask('db.default.bulkhead'),
    { code: 0, answers: ['10.231.0.1'] },
    'while there is no agent',
  )
  await world.start()
  await world.clock.pass(1000)
  t.same(await ask('db.default.bulkhead'), { code: 0, answers: ['10.231.0.1'] })
  await world.stop()
})

t.test('a node without names says so when a session has begun, or at its beginning', async (t) => {
  const world = new FakeWorld()
  world.namesProblem = 'bind EADDRINUSE'
  await world.start()
  world.welcome()
  new Assigner(world).full(assignment())
  await world.clock.pass(50)
  const namesReason = /network bulkhead-default-application: bind EADDRINUSE/
  t.match(world.of('hello'), [{ facts: { network: { namesReason: '' } } }])
  t.match(world.of('facts'), [{ facts: { network: { namesReason } } }])
  world.cut()
  await world.clock.pass(5000)
  world.welcome()
  await world.clock.pass(1000)
  t.match(world.of('hello')[1], { facts: { network: { namesReason } } })
  t.equal(world.of('facts').length, 1, 'not twice')
  t.equal(world.of('inventory').length, 2)
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
