import type { Probe } from '@bulkhead/shared'

/** Longest pause between probes of something that has not succeeded yet. */
const eagerMs = 250
/** Executing a command costs the engine far more than a connection does. */
const eagerExecMs = 500
const eagerSteps = [25, 50, 100] as const

/**
 * When the probes of one kind run. Until the first success: at once, and then soon again, so that what starts fast
 * is known to run fast; from the start of the first success: every interval exactly, never drifting.
 */
export interface Schedule {
  /** Start of tick 0, by the monotonic clock. */
  readonly originMs: number
  /** The tick that was last used. */
  readonly tick: number
  /** Probes so far; only before the first success. */
  readonly eager: number
  readonly settled: boolean
  /** The last interval, counted from the origin, whose failure counted. */
  readonly countedTick: number
}

export function newSchedule(nowMs: number, settled: boolean): Schedule {
  return { originMs: nowMs, tick: -1, eager: 0, settled, countedTick: -1 }
}

/** When the next probe begins, and the schedule after it. */
export function nextProbe(
  schedule: Schedule,
  probe: Probe,
  nowMs: number,
): { readonly atMs: number; readonly schedule: Schedule } {
  if (schedule.tick < 0) {
    return { atMs: schedule.originMs, schedule: { ...schedule, tick: 0 } }
  }
  const ticksSince = Math.floor((nowMs - schedule.originMs) / probe.intervalMs)
  const tick = Math.max(schedule.tick, ticksSince) + 1
  const tickAtMs = schedule.originMs + tick * probe.intervalMs
  if (schedule.settled) return { atMs: tickAtMs, schedule: { ...schedule, tick } }
  const eagerAtMs = nowMs + eagerDelay(schedule.eager, probe)
  if (eagerAtMs < tickAtMs) {
    return { atMs: eagerAtMs, schedule: { ...schedule, eager: schedule.eager + 1 } }
  }
  return { atMs: tickAtMs, schedule: { ...schedule, tick } }
}

function eagerDelay(step: number, probe: Probe): number {
  const longest = probe.check.kind === 'exec' ? eagerExecMs : eagerMs
  const delayMs = probe.check.kind === 'exec' ? longest : (eagerSteps[step] ?? longest)
  return Math.min(delayMs, probe.intervalMs)
}

/** The schedule after the probe that began at `startedMs` succeeded. */
export function afterSuccess(schedule: Schedule, startedMs: number): Schedule {
  if (schedule.settled) return schedule
  return { originMs: startedMs, tick: 0, eager: 0, settled: true, countedTick: 0 }
}

/** Whether a failure at `nowMs` counts: at most one for each interval that has begun. */
export function afterFailure(
  schedule: Schedule,
  probe: Probe,
  nowMs: number,
): { readonly counts: boolean; readonly schedule: Schedule } {
  if (schedule.settled) return { counts: true, schedule }
  const tick = Math.floor((nowMs - schedule.originMs) / probe.intervalMs)
  if (tick <= schedule.countedTick) return { counts: false, schedule }
  return { counts: true, schedule: { ...schedule, countedTick: tick } }
}
