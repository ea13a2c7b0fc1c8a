import type { Clock } from '@bulkhead/shared'

import type { ResolvedImage } from '../admission/images.ts'
import type { Config } from '../config/config.ts'
import type { Tables } from '../discovery/tables.ts'
import type { Logger } from '../logger.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import type { TrafficLedger } from '../rollout/traffic-ledger.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Hub } from '../sessions/hub.ts'
import type { State } from '../state/state.ts'
import type { Principal } from './auth.ts'
import type { Permission } from './auth.ts'

/** What the routes work with. */
export interface ApiDeps {
  readonly state: State
  readonly hub: Hub
  readonly monitor: NodeMonitor
  readonly tables: Tables
  readonly traffic: Pick<TrafficLedger, 'sum'>
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly version: string
  /** Writes a consistent copy of the store to a file that does not exist yet. */
  readonly backup: (file: string) => Promise<void>
  /** Left out by control planes that keep none. */
  readonly secrets?: Secrets
  readonly resolveImage: (name: string) => Promise<ResolvedImage>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the caller needs; a route without it is refused to everybody. */
    permission?: Permission
  }
  interface FastifyRequest {
    principal: Principal | null
  }
}
