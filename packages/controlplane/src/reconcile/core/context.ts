import type { InstanceId } from '@bulkhead/shared'

import type { PortRange } from '../../placement/core/ports.ts'

export interface HistoryLimits {
  /** Records of gone instances that are kept for each slot. */
  readonly gonePerSlot: number
  readonly revisions: number
  readonly rollouts: number
}

export const defaultLimits: HistoryLimits = { gonePerSlot: 3, revisions: 20, rollouts: 20 }

export interface TrafficSum {
  readonly requests: number
  readonly errors: number
}

/** What a reconcile needs beside the view. */
export interface ReconcileContext {
  readonly nowMs: number
  /**
   * Goes into the ids of new instances. Another one for each process: one that starts from an older state must not give
   * ids again that agents have containers of.
   */
  readonly lineageSeed: string
  readonly portRange: PortRange
  /** `movesLeft`: how many moves for balance may begin now in the whole cluster. */
  readonly rebalance: { readonly enabled: boolean; readonly movesLeft: number }
  /**
   * Wall-clock time from which on a silent node has provably stopped its exclusive instances; it moves on as long
   * as the node is heard.
   */
  readonly leaseEndsAtMs: (node: string) => number
  /**
   * What the proxies have sent to the instances since that time, as far as it is still known. Absent: nothing is known
   * of anybody.
   */
  readonly trafficOf?: (instances: readonly InstanceId[], sinceMs: number) => TrafficSum
  readonly limits?: HistoryLimits
  /** Time stands still: who is healthy is available at once, and nothing is late. */
  readonly rehearsal?: boolean
}
