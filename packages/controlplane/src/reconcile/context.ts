import type { Config } from '../config/config.ts'
import type { Transaction } from '../state/view.ts'
import type { ReconcileContext } from './core/context.ts'

/** What the reconciler is given beside the view; `movesLeft` is how many rebalancing moves may begin now. */
export function reconcileContext(tx: Transaction, config: Config, movesLeft: number): ReconcileContext {
  return {
    nowMs: tx.nowMs,
    cluster: tx.cluster,
    portRange: config.ports.range,
    rebalance: { enabled: config.rebalance.enabled && movesLeft > 0, movesLeft },
  }
}
