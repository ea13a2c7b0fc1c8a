import type { HealthSpec, HealthState, Probe } from '@bulkhead/shared'

const probeKinds = ['startup', 'readiness', 'liveness'] as const
export type ProbeKind = (typeof probeKinds)[number]

/** One answer of one probe. */
export interface ProbeResult {
  readonly ok: boolean
  /** Why not, as a clause; empty when ok. */
  readonly detail: string
  /** A failure that is one too many within an interval does not count against the threshold. */
  readonly counts: boolean
}

interface Tally {
  /** Results of the newest kind in a row. */
  readonly successes: number
  readonly failures: number
  readonly detail: string
  /** Null: has not decided yet. */
  readonly verdict: boolean | null
}

/** What the probes of one instance have said so far. */
export interface ProbeState {
  readonly startup: Tally
  readonly readiness: Tally
  readonly liveness: Tally
}

/** What an instance's probes make of it. */
export interface HealthView {
  readonly health: HealthState
  readonly reason: string
  /** Why it has to be ended; empty as long as it need not be. */
  readonly fatal: string
}

const undecided: Tally = { successes: 0, failures: 0, detail: '', verdict: null }
const passed: Tally = { successes: 1, failures: 0, detail: '', verdict: true }

export const noResults: ProbeState = {
  startup: undecided,
  readiness: undecided,
  liveness: undecided,
}

const failedBefore: Tally = {
  successes: 0,
  failures: 1,
  detail: 'it did when the agent last looked',
  verdict: false,
}

/** For an instance that had started before the agent itself did: it stays what it was until a probe differs. */
export function resumed(wasReady: boolean): ProbeState {
  return { startup: passed, readiness: wasReady ? passed : failedBefore, liveness: passed }
}

/** Which probes are due: readiness and liveness wait for startup. */
export function activeProbes(spec: HealthSpec, state: ProbeState): readonly ProbeKind[] {
  if (spec.startup && state.startup.verdict !== true) return ['startup']
  return probeKinds.filter((kind) => kind !== 'startup' && spec[kind] !== null)
}

/** Adds a result; thresholds count results in a row. */
export function fold(
  state: ProbeState,
  kind: ProbeKind,
  probe: Probe,
  result: ProbeResult,
): ProbeState {
  const before = state[kind]
  if (!result.ok && !result.counts) {
    return { ...state, [kind]: { ...before, successes: 0, detail: result.detail } }
  }
  const successes = result.ok ? before.successes + 1 : 0
  const failures = result.ok ? 0 : before.failures + 1
  let { verdict } = before
  if (result.ok && successes >= probe.successes) verdict = true
  if (!result.ok && failures >= probe.failures) verdict = false
  return { ...state, [kind]: { successes, failures, detail: result.detail, verdict } }
}

/** What the results so far mean. */
export function viewOf(spec: HealthSpec, state: ProbeState): HealthView {
  const { startup, readiness, liveness } = state
  if (spec.startup && startup.verdict === false) return condemned('startup', startup)
  if (spec.liveness && liveness.verdict === false) return condemned('liveness', liveness)
  if (spec.startup && startup.verdict !== true) return starting('startup', startup)
  if (!spec.readiness) return { ...initialHealth({ ...spec, startup: null }), fatal: '' }
  if (readiness.verdict === null) return starting('readiness', readiness)
  if (readiness.verdict)
    return { health: 'healthy', reason: 'its readiness probe succeeds', fatal: '' }
  return { health: 'unhealthy', reason: failing('readiness', readiness), fatal: '' }
}

/** Of an instance that has just begun to run. */
export function initialHealth(spec: HealthSpec): { health: HealthState; reason: string } {
  if (spec.startup) return { health: 'starting', reason: notYet('startup') }
  if (spec.readiness) return { health: 'starting', reason: notYet('readiness') }
  return { health: 'healthy', reason: 'it runs, and has no readiness probe' }
}

const notYet = (kind: ProbeKind): string => `its ${kind} probe has not succeeded yet`

// The reason stays the same from one failure to the next: each change of it is a report.
const starting = (kind: ProbeKind, tally: Tally): HealthView => ({
  health: 'starting',
  reason: tally.detail === '' ? notYet(kind) : `${notYet(kind)}: ${tally.detail}`,
  fatal: '',
})

const failing = (kind: ProbeKind, tally: Tally): string =>
  `its ${kind} probe failed: ${tally.detail}`

const condemned = (kind: ProbeKind, tally: Tally): HealthView => ({
  health: 'unhealthy',
  reason: failing(kind, tally),
  fatal: `its ${kind} probe failed ${tally.failures} times in a row: ${tally.detail}`,
})
