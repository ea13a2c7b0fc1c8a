import type { EndpointTable } from '@bulkhead/shared'

import type { Forwarding } from '../../core/visible-names.ts'

/** A bridge that names are looked up on. */
export interface NameBridge {
  readonly environment: string
  readonly zone: string
  /** Address of IPv4 at which names are served. */
  readonly gateway: string
  /** Addresses of the host on it. */
  readonly gateways: readonly string[]
  /** In CIDR form; a container has its addresses in them. */
  readonly subnets: readonly string[]
}

/** What is known of services. */
export interface NameDirectory {
  /** Counts up with what is known. */
  readonly revision: number
  /** By `ENVIRONMENT/NAME`. */
  readonly tables: ReadonlyMap<string, EndpointTable>
  /** Which zones each zone reaches. */
  readonly reaches: Readonly<Record<string, readonly string[]>>
  /** The networks of service addresses, as far as connections to those are passed on here; null: they are not. */
  readonly addresses: { readonly services: string; readonly services6: string | null } | null
}

/** Everything that answers depend on. Never changed, but replaced. */
export interface NameState {
  readonly bridges: readonly NameBridge[]
  /** Null: nothing is known of services yet, and what was known before holds. */
  readonly directory: NameDirectory | null
  /** Zones whose containers may have names of others looked up. */
  readonly forwarding: Forwarding
  /** File that names the host's resolvers. */
  readonly resolvConf: string
}

export const emptyDirectory: NameDirectory = {
  revision: 0,
  tables: new Map(),
  reaches: {},
  addresses: null,
}
