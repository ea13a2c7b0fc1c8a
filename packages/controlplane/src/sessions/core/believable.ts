import type { InstanceReport, Observed } from '@bulkhead/shared'

/** The last time that a date can be. */
const maxTimeMs = 8.64e15
const maxReasonLength = 4096
const maxIdLength = 255

const time = (ms: number): number => Math.min(Math.max(ms, 0), maxTimeMs)
const timeOrNull = (ms: number | null): number | null => (ms === null ? null : time(ms))

function believableObserved(observed: Observed): Observed {
  return {
    state: observed.state,
    health: observed.health,
    reason: observed.reason.slice(0, maxReasonLength),
    containerId: observed.containerId?.slice(0, maxIdLength) ?? null,
    startedAtMs: timeOrNull(observed.startedAtMs),
    healthySinceMs: timeOrNull(observed.healthySinceMs),
    finishedAtMs: timeOrNull(observed.finishedAtMs),
    exitCode: observed.exitCode,
    neverStarted: observed.neverStarted,
  }
}

/**
 * What of a report goes on record: the known members, with texts and times that everything which shows them can
 * cope with. It is cut and not refused, so that an engine's long message does not keep a node from connecting.
 */
export function believable(report: InstanceReport): InstanceReport {
  return {
    ...report,
    startAtMs: time(report.startAtMs),
    observed: believableObserved(report.observed),
  }
}
