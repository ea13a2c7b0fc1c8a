import type { HealthSpec, Probe } from '@bulkhead/shared'
import t from 'tap'

import {
  activeProbes,
  fold,
  noResults,
  type ProbeKind,
  type ProbeState,
  resumed,
  viewOf,
} from '../../src/core/health.ts'

const probe = (changes: Partial<Probe> = {}): Probe => ({
  check: { kind: 'tcp', port: 'http' },
  intervalMs: 1000,
  timeoutMs: 500,
  failures: 3,
  successes: 1,
  ...changes,
})
const none: HealthSpec = { startup: null, readiness: null, liveness: null }
const all: HealthSpec = {
  startup: probe({ failures: 2 }),
  readiness: probe({ successes: 2 }),
  liveness: probe(),
}

/** `+` success, `-` failure that counts, `.` failure that does not. */
function results(
  spec: HealthSpec,
  kind: ProbeKind,
  text: string,
  from: ProbeState = noResults,
): ProbeState {
  const which = spec[kind] ?? probe()
  return Array.from(text).reduce(
    (state, sign) =>
      fold(state, kind, which, {
        ok: sign === '+',
        detail: sign === '+' ? '' : 'HTTP 503',
        counts: sign === '-',
      }),
    from,
  )
}

t.test('without probes what runs is healthy', async (t) => {
  t.match(viewOf(none, noResults), { health: 'healthy', fatal: '' })
  t.same(activeProbes(none, noResults), [])
})

t.test('startup comes first', async (t) => {
  t.same(activeProbes(all, noResults), ['startup'])
  t.match(viewOf(all, noResults), { health: 'starting', fatal: '' })
  const started = results(all, 'startup', '-+')
  t.same(activeProbes(all, started), ['readiness', 'liveness'])
  t.match(viewOf(all, started), { health: 'starting' })
  t.match(viewOf({ ...all, readiness: null }, started), { health: 'healthy' })
  t.match(viewOf(all, results(all, 'startup', '-.-')), {
    health: 'unhealthy',
    fatal: 'its startup probe failed 2 times in a row: HTTP 503',
  })
  t.match(viewOf(all, results(all, 'startup', '-......')), { fatal: '', reason: /HTTP 503/ })
})

t.test('readiness decides on health by thresholds', async (t) => {
  const spec = { ...none, readiness: probe({ successes: 2 }) }
  const after = (text: string) => viewOf(spec, results(spec, 'readiness', text))
  t.match(after(''), { health: 'starting' })
  t.match(after('+'), { health: 'starting' })
  t.match(after('++'), { health: 'healthy' })
  t.match(after('++--'), { health: 'healthy' })
  t.match(after('++---'), {
    health: 'unhealthy',
    reason: 'its readiness probe failed: HTTP 503',
    fatal: '',
  })
  t.match(after('++---+'), { health: 'unhealthy' })
  t.match(after('++---++'), { health: 'healthy' })
  t.match(after('++--+--'), { health: 'healthy' }, 'in a row')
  t.match(after('---'), { health: 'unhealthy' })
})

t.test('liveness condemns', async (t) => {
  const spec = { ...none, liveness: probe() }
  t.match(viewOf(spec, results(spec, 'liveness', '--')), { health: 'healthy', fatal: '' })
  t.match(viewOf(spec, results(spec, 'liveness', '---')), {
    health: 'unhealthy',
    fatal: 'its liveness probe failed 3 times in a row: HTTP 503',
  })
})

t.test('what was healthy before the agent began stays so until a probe differs', async (t) => {
  t.match(viewOf(all, resumed(true)), { health: 'healthy' })
  t.match(viewOf(all, results(all, 'readiness', '--', resumed(true))), { health: 'healthy' })
  t.match(viewOf(all, results(all, 'readiness', '---', resumed(true))), { health: 'unhealthy' })
  t.match(viewOf(all, resumed(false)), { health: 'unhealthy', fatal: '' })
  t.same(activeProbes(all, resumed(false)), ['readiness', 'liveness'], 'it has started')
})
