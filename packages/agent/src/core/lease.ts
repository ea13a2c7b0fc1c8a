import { leaseStops } from '@bulkhead/shared'

/**
 * How an agent stands with the lease of its exclusive instances: `held` lets them run, `ending` stops them, `over`
 * kills what is left. Nothing exclusive is started unless it is held: `presumed`, after the start of the process,
 * lets what runs go on, but what does not run may have been given away.
 */
export type LeaseStanding = 'presumed' | 'held' | 'ending' | 'over'

/** Times are monotonic milliseconds of this machine. */
export interface Lease {
  readonly isPresumed: boolean
  readonly signalAtMs: number
  readonly killAtMs: number
}

/** What a heartbeat is worth that was sent at `sentMs` and has been answered. */
export function leaseFrom(sentMs: number, leaseMs: number): Lease {
  const { signalAfterMs, killAfterMs } = leaseStops(leaseMs)
  return { isPresumed: false, signalAtMs: sentMs + signalAfterMs, killAtMs: sentMs + killAfterMs }
}

/**
 * What a process that has just started allows itself: the lease that an earlier one held is unknown, and it is given
 * `graceMs` to learn from the control plane what still belongs here.
 */
export function provisionalLease(nowMs: number, graceMs: number): Lease {
  return { isPresumed: true, signalAtMs: nowMs + graceMs, killAtMs: nowMs + graceMs }
}

export function standingOf(lease: Lease, nowMs: number): LeaseStanding {
  if (nowMs < lease.signalAtMs) return lease.isPresumed ? 'presumed' : 'held'
  return nowMs < lease.killAtMs ? 'ending' : 'over'
}
