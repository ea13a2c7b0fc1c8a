import type { Config } from '../config/config.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import type { TrafficLedger } from '../rollout/traffic-ledger.ts'
import type { State } from '../state/state.ts'
import type { Transaction } from '../state/view.ts'
import type { ReconcileContext } from './core/context.ts'

export interface ContextDeps {
  readonly config: Config
  readonly monitor: Pick<NodeMonitor, 'leaseEndsAtMs'>
  readonly state: Pick<State, 'openedAtMs'>
  readonly traffic: Pick<TrafficLedger, 'sum'>
}

/** What the reconciler is given beside the view; `movesLeft` is how many rebalancing moves may begin now. */
export function reconcileContext(
  tx: Transaction,
  { config, monitor, state, traffic }: ContextDeps,
  movesLeft: number,
): ReconcileContext {
  return {
    nowMs: tx.nowMs,
    lineageSeed: `${tx.cluster} ${state.openedAtMs}`,
    portRange: config.ports.range,
    leaseEndsAtMs: (node) => monitor.leaseEndsAtMs(node),
    trafficOf: (instances, sinceMs) => traffic.sum(instances, sinceMs),
    rebalance: { enabled: config.rebalance.enabled && movesLeft > 0, movesLeft },
  }
}
