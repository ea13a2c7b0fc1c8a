import { canonicalHash } from '@bulkhead/shared'

import type { Offer } from './offered.ts'

const assignmentType = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'

/** An answer of Envoy's endpoint discovery over REST, version 3. */
export interface DiscoveryResponse {
  readonly version_info: string
  readonly type_url: string
  readonly resources: readonly object[]
}

/** What Envoy calls the endpoints of a port: `service_name` of its cluster. */
const clusterOf = ({ environment, service, port }: Offer): string =>
  `${environment}/${service}/${port}`

/**
 * The endpoints of the named clusters, or of all when none is named. One that there is not has no endpoints: Envoy
 * waits for an answer about each before it serves. The version is that of the content, so that what has not changed
 * is seen not to have.
 */
export function envoyEndpoints(
  offers: readonly Offer[],
  names: readonly string[],
): DiscoveryResponse {
  const known = new Map(offers.map((offer) => [clusterOf(offer), offer]))
  const wanted = names.length > 0 ? [...new Set(names)] : [...known.keys()]
  const resources = wanted.map((name) => assignment(name, known.get(name)?.endpoints ?? []))
  return { version_info: canonicalHash(resources), type_url: assignmentType, resources }
}

function assignment(name: string, endpoints: Offer['endpoints']): object {
  const all = endpoints.map(({ address, hostPort, weight }) => ({
    endpoint: {
      address: { socket_address: { protocol: 'TCP', address, port_value: hostPort } },
    },
    health_status: 'HEALTHY',
    load_balancing_weight: weight,
  }))
  const localities = all.length === 0 ? [] : [{ lb_endpoints: all }]
  return { '@type': assignmentType, cluster_name: name, endpoints: localities }
}
