import type { HealthSpec, Probe } from '@bulkhead/shared'
import t from 'tap'

import type { Checker, CheckResult } from '../../src/health/checker.ts'
import { ProbeRunner } from '../../src/health/probe-runner.ts'
import { FakeClock } from '../support/fake-clock.ts'

const probe = (changes: Partial<Probe> = {}): Probe => ({
  check: { kind: 'tcp', port: 'http' },
  intervalMs: 1000,
  timeoutMs: 700,
  failures: 3,
  successes: 1,
  ...changes,
})
const none: HealthSpec = { startup: null, readiness: null, liveness: null }
const target = { instance: 'i', containerId: 'c', address: '172.20.0.2', ports: { http: 80 } }
const up: CheckResult = { ok: true, detail: '' }
const down: CheckResult = { ok: false, detail: 'connection refused' }

/** Answers as the test says, and keeps at which times it was asked what. */
function world(answer: (count: number) => CheckResult | Promise<CheckResult>) {
  const clock = new FakeClock()
  const originMs = clock.monotonicMs()
  const asked: { kind: string; atMs: number; signal: AbortSignal }[] = []
  const checker: Checker = {
    async check(check, _, signal) {
      asked.push({ kind: check.kind, atMs: clock.monotonicMs() - originMs, signal })
      return answer(asked.length)
    },
  }
  const told: string[] = []
  const runner = new ProbeRunner({ clock, checker, onResult: (instance) => told.push(instance) })
  const times = () => asked.map(({ atMs }) => atMs)
  return { clock, runner, asked, told, times }
}

t.test('once it has succeeded, exactly the interval', async (t) => {
  const { clock, runner, times } = world(() => up)
  runner.ensure(target, { ...none, readiness: probe() }, 'starting')
  t.match(runner.view('i'), { health: 'starting' })
  await clock.pass(0)
  t.match(runner.view('i'), { health: 'healthy' })
  await clock.pass(10_500)
  t.same(times(), [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000])
  runner.close()
})

t.test('however long the answers take', async (t) => {
  const w = world(async (count) => {
    await new Promise<void>((resolve) => void w.clock.after(count % 2 === 0 ? 300 : 10, resolve))
    return up
  })
  w.runner.ensure(target, { ...none, readiness: probe() }, 'starting')
  await w.clock.pass(5500)
  t.same(w.times(), [0, 1000, 2000, 3000, 4000, 5000])
  w.runner.close()
})

t.test('what starts fast is known soon, and the interval counts from there', async (t) => {
  const w = world(() => (w.clock.monotonicMs() - 1_000_000 >= 100 ? up : down))
  w.runner.ensure(target, { ...none, readiness: probe() }, 'starting')
  await w.clock.pass(2500)
  t.same(w.times(), [0, 25, 75, 175, 1175, 2175])
  w.runner.close()
})

t.test('before the first success no faster than its kind deserves', async (t) => {
  const w = world(() => down)
  w.runner.ensure(target, { ...none, readiness: probe() }, 'starting')
  await w.clock.pass(1300)
  t.same(w.times(), [0, 25, 75, 175, 425, 675, 925, 1000, 1250])
  w.runner.close()
  const x = world(() => down)
  x.runner.ensure(
    target,
    { ...none, readiness: probe({ check: { kind: 'exec', command: ['x'] } }) },
    'starting',
  )
  await x.clock.pass(1300)
  t.same(x.times(), [0, 500, 1000])
  x.runner.close()
})

t.test('failures before the first success count once an interval', async (t) => {
  const { clock, runner } = world(() => down)
  runner.ensure(target, { ...none, startup: probe({ failures: 5 }) }, 'starting')
  await clock.pass(3900)
  t.match(runner.view('i'), { fatal: '', health: 'starting' })
  await clock.pass(200)
  t.match(runner.view('i'), { fatal: /startup probe failed 5 times/ })
  runner.close()
})

t.test('a probe that still runs at its next tick is not overtaken', async (t) => {
  let open = true
  const w = world(async () => {
    const isFirst = open
    open = false
    if (!isFirst) await new Promise<void>((resolve) => void w.clock.after(2500, resolve))
    return up
  })
  w.runner.ensure(target, { ...none, readiness: probe({ timeoutMs: 5000 }) }, 'starting')
  await w.clock.pass(6900)
  t.same(w.times(), [0, 1000, 4000], 'ticks at 2, 3, 5 and 6 s are skipped')
  t.equal(w.runner.skipped, 4)
  w.runner.close()
})

t.test('time runs out for an answer', async (t) => {
  const w = world(
    () =>
      new Promise((resolve) => {
        w.asked
          .at(-1)
          ?.signal.addEventListener('abort', () =>
            resolve({ ok: false, detail: 'no answer in time' }),
          )
      }),
  )
  w.runner.ensure(target, { ...none, liveness: probe() }, 'healthy')
  await w.clock.pass(699)
  t.equal(w.told.length, 0)
  await w.clock.pass(1)
  t.equal(w.told.length, 1)
  await w.clock.pass(2000)
  t.same(w.times(), [0, 1000, 2000])
  t.match(w.runner.view('i'), {
    fatal: 'its liveness probe failed 3 times in a row: no answer in time',
  })
  w.runner.close()
})

t.test('readiness and liveness wait for startup', async (t) => {
  const w = world((count) => (count < 3 ? down : up))
  const http = { kind: 'http', port: 'http', path: '/', headers: {} } as const
  const exec = { kind: 'exec' as const, command: ['x'] }
  const spec = {
    startup: probe(),
    readiness: probe({ check: http }),
    liveness: probe({ check: exec, intervalMs: 2000 }),
  }
  w.runner.ensure(target, spec, 'starting')
  await w.clock.pass(3000)
  t.same(
    w.asked.map(({ kind, atMs }) => `${kind} ${atMs}`),
    ['tcp 0', 'tcp 25', 'tcp 75', 'http 75', 'exec 75', 'http 1075', 'exec 2075', 'http 2075'],
  )
  w.runner.close()
})

t.test(
  'an instance that ran before the agent did keeps its health, and its interval',
  async (t) => {
    const { clock, runner, times } = world(() => down)
    runner.ensure(target, { ...none, readiness: probe() }, 'healthy')
    t.match(runner.view('i'), { health: 'healthy' })
    await clock.pass(1500)
    t.match(runner.view('i'), { health: 'healthy' })
    await clock.pass(1000)
    t.match(runner.view('i'), { health: 'unhealthy' })
    t.same(times(), [0, 1000, 2000])
    runner.close()
  },
)

t.test('a result for what is gone is dropped', async (t) => {
  const w = world(async () => {
    await new Promise<void>((resolve) => void w.clock.after(500, resolve))
    return down
  })
  w.runner.ensure(target, { ...none, readiness: probe() }, 'starting')
  await w.clock.pass(100)
  w.runner.drop('i')
  t.equal(w.asked[0]?.signal.aborted, true)
  t.equal(w.runner.view('i'), null)
  w.runner.ensure({ ...target, containerId: 'd' }, { ...none, readiness: probe() }, 'starting')
  await w.clock.pass(450)
  t.equal(w.told.length, 0)
  w.runner.close()
  await w.clock.pass(10_000)
  t.equal(w.asked.length, 2)
})

t.test('an engine that does not answer says nothing of the program', async (t) => {
  const { clock, runner, times } = world((count) =>
    count === 1 ? up : { ok: null, detail: 'no socket' },
  )
  runner.ensure(target, { ...none, readiness: probe(), liveness: null }, 'starting')
  await clock.pass(9500)
  t.match(runner.view('i'), { health: 'healthy' })
  t.equal(times().length, 10)
  runner.close()
})
