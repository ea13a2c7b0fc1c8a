import type { Clock, RegistryAccess } from '@bulkhead/shared'

import type { Config } from './config/config.ts'
import { Tables } from './discovery/tables.ts'
import type { Logger } from './logger.ts'
import { NodeMonitor } from './nodes/monitor.ts'
import { ReconcileLoop } from './reconcile/loop.ts'
import { TrafficLedger } from './rollout/traffic-ledger.ts'
import { Hub, type HubDeps } from './sessions/hub.ts'
import type { Vault } from './secrets/vault.ts'
import type { State } from './state/state.ts'

export interface ComposeDeps {
  readonly state: State
  readonly clock: Clock
  readonly config: Config
  readonly registries: readonly RegistryAccess[]
  readonly logger: Logger
  readonly vault?: Vault
}

/** What works on the state while a control plane runs. */
export interface Works {
  readonly monitor: NodeMonitor
  readonly tables: Tables
  readonly traffic: TrafficLedger
  readonly hub: Hub
  readonly loop: ReconcileLoop
}

/** Builds everything that follows the state and connects it; nothing acts before `loop` and `monitor` are started. */
export function compose({ state, clock, config, registries, logger, vault }: ComposeDeps, stop: AbortSignal): Works {
  const onProblem = (error: unknown): void => logger.error({ err: error }, 'a change of liveness could not be written')
  const monitor = new NodeMonitor({ state, clock, config: config.nodes, onProblem })
  const tables = new Tables(state.view)
  const traffic = new TrafficLedger(state.view, clock)
  const loop = new ReconcileLoop({ state, clock, config, monitor, traffic, logger })
  const onTraffic: HubDeps['onTraffic'] = (reported) => loop.look(traffic.take(reported))
  const { nodes, network } = config
  const hub = new Hub({ state, clock, monitor, tables, config: nodes, network, registries, logger, vault, onTraffic })
  state.feed.subscribe((commit) => {
    tables.follow([commit])
    hub.follow([commit])
    loop.follow([commit])
  }, stop)
  return { monitor, tables, traffic, hub, loop }
}
