import type { EndpointTable } from '@bulkhead/shared'
import type { VisibleNames } from '@bulkhead/shared/dns'

import { type Asker, type Directory, visibleTable } from './resolve.ts'

/**
 * What an instance may look up by DNS: what discovery tells it, too. `addresses` are the networks of service
 * addresses, null where connections to those are not passed on.
 */
export function visibleNames(
  asker: Asker,
  directory: Directory & { readonly revision: number },
  addresses: VisibleNames['addresses'],
): VisibleNames {
  return {
    revision: directory.revision,
    addresses,
    hasEnvironment: (environment) => environment === asker.environment,
    find: (environment, service): EndpointTable | null =>
      visibleTable(asker, directory, environment, service),
  }
}

/** Zones whose containers may have names of others looked up: all, none, or these. */
export type Forwarding = boolean | readonly string[]

export const mayForward = (forwarding: Forwarding, zone: string): boolean =>
  typeof forwarding === 'boolean' ? forwarding : forwarding.includes(zone)

/** How programs in a container find names: `api` and `api.prod` are completed before they are looked up as they are. */
export function resolverSettings(nameServer: string, environment: string) {
  return {
    servers: [nameServer],
    search: [`${environment}.bulkhead`, 'bulkhead'],
    // A question that was lost is asked again soon.
    options: ['ndots:2', 'timeout:2', 'attempts:4'],
  }
}
