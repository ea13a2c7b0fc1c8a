import type { Clock, Timer } from '@bulkhead/shared'

import type { Fence } from '../network/fence.ts'
import {
  type Lease,
  leaseFrom,
  type LeaseStanding,
  type LeaseTimes,
  provisionalLease,
  restoredLease,
  standingOf,
} from '../core/lease.ts'

export interface LeaseKeeperDeps {
  readonly clock: Clock
  /** The standing has changed. */
  readonly onChange: () => void
  /** So that it outlives this process: a restart must not lengthen it. */
  readonly onRenewed: (times: LeaseTimes) => void
  /** The same lease in the kernel. */
  readonly fence: Pick<Fence, 'welcomed' | 'sent' | 'answered' | 'disconnected'>
}

/** Time that a process which has just started gets to reach the control plane. */
const startGraceMs = 5000
/** Unanswered heartbeats that are remembered; a session with more of them is given up anyway. */
const maxSent = 64

/**
 * Keeps the lease of this node's exclusive instances. A heartbeat renews it only when it was sent after the session's
 * full set of assignments had come: what was given to others while nothing was heard is missing from that set.
 */
export class LeaseKeeper {
  readonly #deps: LeaseKeeperDeps
  readonly #sent = new Map<number, number>()
  #lease: Lease
  #leaseMs = 0
  #counts = false
  #last: LeaseStanding = 'presumed'
  #timer: Timer | null = null

  constructor(deps: LeaseKeeperDeps) {
    this.#deps = deps
    this.#lease = provisionalLease(deps.clock.monotonicMs(), startGraceMs)
    this.#arm()
  }

  get standing(): LeaseStanding {
    return standingOf(this.#lease, this.#deps.clock.monotonicMs())
  }

  /** What an earlier process on this machine was told. */
  restore(earlier: LeaseTimes): void {
    this.#lease = restoredLease(this.#lease, earlier)
    this.#timer?.cancel()
    this.#timer = null
    this.#look()
  }

  welcomed(leaseMs: number): void {
    this.#leaseMs = leaseMs
    this.#deps.fence.welcomed(leaseMs)
  }

  /** The full set of assignments has been taken in: heartbeats count from here on. */
  assigned(): void {
    this.#counts = true
  }

  /** The session is over; the lease runs on. */
  disconnected(): void {
    this.#counts = false
    this.#sent.clear()
    this.#deps.fence.disconnected()
  }

  sent(sequence: number): void {
    if (!this.#counts) return
    if (this.#sent.size >= maxSent) this.#sent.delete(this.#sent.keys().next().value ?? 0)
    this.#sent.set(sequence, this.#deps.clock.monotonicMs())
    this.#deps.fence.sent(sequence)
  }

  answered(sequence: number): void {
    const sentMs = this.#sent.get(sequence)
    if (sentMs === undefined) return
    for (const earlier of this.#sent.keys()) if (earlier <= sequence) this.#sent.delete(earlier)
    this.#lease = leaseFrom(sentMs, this.#leaseMs)
    this.#deps.fence.answered(sequence)
    const { signalAtMs, killAtMs } = this.#lease
    this.#deps.onRenewed({ signalAtMs, killAtMs })
    this.#look()
  }

  /** Ends the timer. */
  close(): void {
    this.#timer?.cancel()
  }

  #look(): void {
    const now = this.standing
    if (now !== this.#last) {
      this.#last = now
      this.#deps.onChange()
    }
    this.#arm()
  }

  /** One timer at a time: it looks again when the lease has been renewed meanwhile. */
  #arm(): void {
    if (this.#timer !== null) return
    const { clock } = this.#deps
    const { signalAtMs, killAtMs } = this.#lease
    const standing = this.standing
    if (standing === 'over') return
    const atMs = standing === 'ending' ? killAtMs : signalAtMs
    this.#timer = clock.after(atMs - clock.monotonicMs(), () => {
      this.#timer = null
      this.#look()
    })
  }
}
