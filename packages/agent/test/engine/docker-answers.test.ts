import { systemClock } from '@bulkhead/shared'
import t from 'tap'

import { within } from '../../src/engine/deadline.ts'
import { toEngineError } from '../../src/engine/docker-errors.ts'
import { parseEvent } from '../../src/engine/docker-events.ts'
import { toFacts } from '../../src/engine/docker-info.ts'
import { followPull } from '../../src/engine/docker-pull.ts'
import { toStats } from '../../src/engine/docker-stats.ts'
import { demultiplex, jsonLines } from '../../src/engine/docker-stream.ts'
import { Limiter } from '../../src/engine/limiter.ts'
import { FakeClock } from '../support/fake-clock.ts'

const answered = (statusCode: number, message: string) =>
  toEngineError(Object.assign(new Error('wrapped'), { statusCode, json: { message } }))

async function* pieces(...parts: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part)
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

t.test('refusals are told apart', async (t) => {
  const rows = [
    [
      500,
      'driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:80 failed: port is already allocated',
      'port-taken',
    ],
    [500, 'failed to bind host port for 10.0.0.1:80: address already in use', 'port-taken'],
    [
      500,
      'error starting userland proxy: listen tcp4 10.0.0.1:80: bind: address already in use',
      'port-taken',
    ],
    [500, 'write /var/lib/docker/x: no space left on device', 'no-space'],
    [404, 'No such image: nope:1', 'no-such-image'],
    [404, 'No such container: abc', 'no-such-container'],
    [404, 'network bulkhead-a-b not found', 'conflict'],
    [409, 'Conflict. The container name "/x" is already in use', 'conflict'],
    [400, 'OCI runtime create failed: exec: "/bin/nope": no such file or directory', 'refused'],
    [500, 'server is shutting down', 'unreachable'],
    [400, 'client version 1.30 is too old', 'refused'],
  ] as const
  for (const [status, message, kind] of rows) {
    t.match(answered(status, message), { kind }, message)
  }
  t.match(toEngineError(Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' })), {
    kind: 'unreachable',
  })
})

t.test('of a refusal what and why are told, not by which parts of the engine it came', async (t) => {
  const rows = [
    [
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin/nope": stat /bin/nope: no such file or directory: unknown',
      'exec: "/bin/nope": stat /bin/nope: no such file or directory',
    ],
    [
      'driver failed programming external connectivity on endpoint web-0 (0b6ba96759db): Error starting userland proxy: listen tcp4 10.0.0.1:80: bind: address already in use',
      'listen tcp4 10.0.0.1:80: bind: address already in use',
    ],
    ['client version 1.30 is too old', 'client version 1.30 is too old'],
  ] as const
  for (const [said, told] of rows) t.equal(answered(500, said).message, told)
})

t.test('a call that is not answered in time', async (t) => {
  const clock = new FakeClock()
  let aborted = false
  const call = within(clock, 1000, (signal) => {
    signal.addEventListener('abort', () => (aborted = true))
    return new Promise<never>(() => {})
  })
  const failed = t.rejects(call, { kind: 'unreachable', message: /within 1000 ms/ })
  await clock.pass(1000)
  await failed
  t.ok(aborted)
  t.equal(await within(systemClock, 1000, async () => 5), 5)
})

t.test('streams are taken apart however they arrive', async (t) => {
  t.same(await all(jsonLines(pieces('{"a":', '1}\n{"a":2}\r\n\n{"a"', ':3}'))), [
    { a: 1 },
    { a: 2 },
    { a: 3 },
  ])
  await t.rejects(all(jsonLines(pieces('x'.repeat(2 * 1024 * 1024)))), /without end/)
  const frame = (channel: number, text: string) => {
    const header = Buffer.alloc(8)
    header[0] = channel
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }
  const whole = Buffer.concat([frame(1, 'out'), frame(2, 'error'), frame(1, '')])
  for (let size = 1; size <= whole.length; size++) {
    const parts: Buffer[] = []
    for (let at = 0; at < whole.length; at += size) parts.push(whole.subarray(at, at + size))
    const chunks = await all(demultiplex(pieces(...parts)))
    t.same(
      chunks.map(({ channel, data }) => `${channel} ${String(data)}`),
      ['stdout out', 'stderr error', 'stdout '],
    )
  }
})

t.test('events', async (t) => {
  const actor = { ID: 'c', Attributes: { 'bulkhead.instance': 'a', other: 'x', exitCode: '137' } }
  const timeNano = 1_700_000_000_123_456_800
  const of = (
    Type: string,
    Action: string,
    Attributes: Record<string, string> = actor.Attributes,
  ) =>
    parseEvent(
      { Type, Action, Actor: { ID: 'c', Attributes }, timeNano },
      { 'bulkhead.instance': 'a' },
    )?.event ?? null
  t.same(parseEvent({ Action: 'die', Actor: actor, timeNano }, {}), {
    event: {
      kind: 'died',
      containerId: 'c',
      labels: { 'bulkhead.instance': 'a' },
      atMs: 1_700_000_000_123,
      exitCode: 137,
    },
    since: '1700000000.123456768',
  })
  t.match(of('container', 'pause'), { kind: 'paused', containerId: 'c' })
  t.match(of('container', 'unpause'), { kind: 'unpaused', containerId: 'c' })
  t.equal(of('container', 'die', { 'bulkhead.instance': 'b' }), null, 'not one of ours')
  t.equal(of('container', 'exec_start: x'), null)
  t.same(of('network', 'disconnect', { container: 'x', name: 'n' }), {
    kind: 'disconnected',
    containerId: 'x',
  })
  t.same(of('network', 'destroy', { name: 'n' }), { kind: 'network-removed', network: 'n' })
  t.equal(of('network', 'connect', { container: 'x', name: 'n' }), null)
  t.equal(parseEvent(null, {}), null)
  t.equal(parseEvent({ Action: 'die' }, {}), null)
})

t.test('pulls', async (t) => {
  const clock = new FakeClock()
  const told: string[] = []
  async function* lines(): AsyncGenerator {
    yield { id: '1', status: 'Pulling fs layer' }
    yield { id: '1', status: 'Downloading', progressDetail: { current: 5e6, total: 10e6 } }
    yield { id: '1', status: 'Pull complete' }
    yield { status: 'Digest: sha256:x' }
  }
  await followPull(
    clock,
    lines(),
    (text) => told.push(text),
    () => {},
  )
  t.same(told, ['0 of 1 layers', '0 of 1 layers, 5 of 10 MB', '1 of 1 layers, 5 of 10 MB'])
  async function* failing(): AsyncGenerator {
    yield { error: 'manifest unknown' }
  }
  await t.rejects(
    followPull(
      clock,
      failing(),
      () => {},
      () => {},
    ),
    { kind: 'pull-failed', message: 'manifest unknown' },
  )
  const stalled = Promise.withResolvers<never>()
  async function* stalling(): AsyncGenerator {
    yield { id: '1', status: 'Downloading' }
    await stalled.promise
  }
  const failed = t.rejects(
    followPull(
      clock,
      stalling(),
      () => {},
      () => stalled.reject(new Error('aborted')),
    ),
    { kind: 'pull-failed', message: /no progress/ },
  )
  await clock.pass(90_000)
  await failed
})

t.test('figures', async (t) => {
  const cpu = (total: number, system: number) => ({
    cpu_usage: { total_usage: total },
    system_cpu_usage: system,
    online_cpus: 2,
  })
  t.same(
    toStats({
      cpu_stats: cpu(1_500_000_000, 4_000_000_000),
      precpu_stats: cpu(1_000_000_000, 2_000_000_000),
      memory_stats: { usage: 1000, stats: { inactive_file: 300 } },
      pids_stats: { current: 4 },
    }),
    { cpuMillis: 500, memoryBytes: 700, pids: 4 },
  )
  t.same(toStats({}), { cpuMillis: 0, memoryBytes: 0, pids: 0 }, 'of what does not run')
  const facts = (OperatingSystem: string) =>
    toFacts({
      ServerVersion: '29.0.1',
      ApiVersion: '1.47',
      OSType: 'linux',
      OperatingSystem,
      Architecture: 'x86_64',
      KernelVersion: '6.1',
      CgroupVersion: '2',
      Driver: 'overlay2',
      NCPU: 4,
      MemTotal: 8,
    })
  t.match(facts('Debian GNU/Linux 12 (bookworm)'), {
    engine: { os: 'debian', cgroup: 'v2', apiVersion: '1.47' },
    capacity: { cpuMillis: 4000, memoryBytes: 8 },
  })
  const names = ['Red Hat Enterprise Linux 9.4 (Plow)', 'Rocky Linux 9', 'Ubuntu 24.04.1 LTS', '']
  t.same(
    names.map((name) => facts(name).engine.os),
    ['rhel', 'rocky', 'ubuntu', 'linux'],
  )
})

t.test('a limited number at once, in order', async (t) => {
  const limiter = new Limiter(2)
  const order: string[] = []
  let running = 0
  let most = 0
  const job = (name: string) =>
    limiter.run(async () => {
      running += 1
      most = Math.max(most, running)
      order.push(name)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      if (name === 'b') throw new Error('b')
    })
  t.ok(limiter.isIdle)
  const jobs = ['a', 'b', 'c', 'd', 'e'].map(job)
  t.notOk(limiter.isIdle)
  const results = await Promise.allSettled(jobs)
  t.same(order, ['a', 'b', 'c', 'd', 'e'])
  t.equal(most, 2)
  t.equal(results.filter(({ status }) => status === 'rejected').length, 1)
  t.ok(limiter.isIdle)
})
