import type { Config } from '../config/config.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import type { Transaction } from '../state/view.ts'
import type { ReconcileContext } from './core/context.ts'

type Leases = Pick<NodeMonitor, 'leaseEndsAtMs'>

/** What the reconciler is given beside the view; `movesLeft` is how many rebalancing moves may begin now. */
export function reconcileContext(
  tx: Transaction,
  { config, monitor }: { readonly config: Config; readonly monitor: Leases },
  movesLeft: number,
): ReconcileContext {
  return {
    nowMs: tx.nowMs,
    cluster: tx.cluster,
    portRange: config.ports.range,
    leaseEndsAtMs: (node) => monitor.leaseEndsAtMs(node),
    rebalance: { enabled: config.rebalance.enabled && movesLeft > 0, movesLeft },
  }
}
