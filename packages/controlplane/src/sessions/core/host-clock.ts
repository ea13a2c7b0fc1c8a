import type { Assignment, InstanceReport } from '@bulkhead/shared'

/** What is known of the clock of an agent's host. */
export interface HostClock {
  /** How far it is ahead of ours. */
  readonly offsetMs: number
  /** The last differences that were seen, newest last. */
  readonly seenMs: readonly number[]
}

export const sameClock: HostClock = { offsetMs: 0, seenMs: [] }

/** What networks and schedulers take; following it would change times that nothing has happened to. */
const toleranceMs = 500
const samples = 5

/**
 * Takes in that the host said `hostNowMs` when we read it at `nowMs`. A message that was long on its way makes the
 * clock look behind, never ahead: so the greatest of the last few differences is the best.
 */
export function followClock(
  { offsetMs, seenMs }: HostClock,
  hostNowMs: number,
  nowMs: number,
): HostClock {
  const seen = [...seenMs, hostNowMs - nowMs].slice(-samples)
  const best = Math.max(...seen)
  return { offsetMs: Math.abs(best - offsetMs) <= toleranceMs ? offsetMs : best, seenMs: seen }
}

/** The report with its times by our clock; what has happened cannot be ahead of us. */
export function toOurTime(report: InstanceReport, offsetMs: number, nowMs: number): InstanceReport {
  const past = (hostMs: number | null): number | null =>
    hostMs === null ? null : Math.min(hostMs - offsetMs, nowMs)
  const { observed } = report
  return {
    ...report,
    startAtMs: report.startAtMs - offsetMs,
    observed: {
      ...observed,
      startedAtMs: past(observed.startedAtMs),
      healthySinceMs: past(observed.healthySinceMs),
      finishedAtMs: past(observed.finishedAtMs),
    },
  }
}

/** The assignment with its time by the host's clock. */
export const toHostTime = (assignment: Assignment, offsetMs: number): Assignment =>
  offsetMs === 0 ? assignment : { ...assignment, startAtMs: assignment.startAtMs + offsetMs }
