import { leaseStops } from '@bulkhead/shared'

/**
 * How an agent stands with the lease of its exclusive instances: `held` lets them run, `ending` stops them, `over`
 * kills what is left. Nothing exclusive is started unless it is held: `presumed`, after the start of the process,
 * lets what runs go on, but what does not run may have been given away.
 */
export type LeaseStanding = 'presumed' | 'held' | 'ending' | 'over'

/** Times are monotonic milliseconds of this machine. */
export interface LeaseTimes {
  readonly signalAtMs: number
  readonly killAtMs: number
}

export interface Lease extends LeaseTimes {
  readonly isPresumed: boolean
}

/** What a heartbeat is worth that was sent at `sentMs` and has been answered. */
export function leaseFrom(sentMs: number, leaseMs: number): Lease {
  const { signalAfterMs, killAfterMs } = leaseStops(leaseMs)
  return { isPresumed: false, signalAtMs: sentMs + signalAfterMs, killAtMs: sentMs + killAfterMs }
}

/**
 * What a process that has just started allows itself at most: what an earlier one did not write down is unknown, and
 * it is given `graceMs` to learn from the control plane what still belongs here.
 */
export function provisionalLease(nowMs: number, graceMs: number): Lease {
  return { isPresumed: true, signalAtMs: nowMs + graceMs, killAtMs: nowMs + graceMs }
}

/** What is left of the lease of an earlier process; one that is from before a start of the machine lasts no longer. */
export function restoredLease(provisional: Lease, earlier: LeaseTimes): Lease {
  return {
    isPresumed: true,
    signalAtMs: Math.min(provisional.signalAtMs, earlier.signalAtMs),
    killAtMs: Math.min(provisional.killAtMs, earlier.killAtMs),
  }
}

export function standingOf(lease: Lease, nowMs: number): LeaseStanding {
  if (nowMs < lease.signalAtMs) return lease.isPresumed ? 'presumed' : 'held'
  return nowMs < lease.killAtMs ? 'ending' : 'over'
}
