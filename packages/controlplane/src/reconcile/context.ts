import type { Config } from '../config/config.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import type { State } from '../state/state.ts'
import type { Transaction } from '../state/view.ts'
import type { ReconcileContext } from './core/context.ts'

type Leases = Pick<NodeMonitor, 'leaseEndsAtMs'>

/** What the reconciler is given beside the view; `movesLeft` is how many rebalancing moves may begin now. */
export function reconcileContext(
  tx: Transaction,
  { config, monitor, state }: { readonly config: Config; readonly monitor: Leases; readonly state: Pick<State, 'openedAtMs'> },
  movesLeft: number,
): ReconcileContext {
  return {
    nowMs: tx.nowMs,
    lineageSeed: `${tx.cluster} ${state.openedAtMs}`,
    portRange: config.ports.range,
    leaseEndsAtMs: (node) => monitor.leaseEndsAtMs(node),
    rebalance: { enabled: config.rebalance.enabled && movesLeft > 0, movesLeft },
  }
}
