import type { NodeFacts, Peer, Policy, ZoneRule, ZonesSpec } from '@bulkhead/shared'

import type { NetworkConfig } from '../../config/config.ts'
import type { ClusterView } from '../../state/view.ts'
import { reachesOf } from './endpoints.ts'

function rulesOf(zones: ZonesSpec): Record<string, ZoneRule> {
  const reaches = reachesOf(zones)
  return Object.fromEntries(
    Object.entries(zones.zones).map(([name, { edge, egress }]) => [
      name,
      // Zones that were stored before there was egress have none.
      { edge, reaches: reaches[name] ?? [], egress: egress ?? [] },
    ]),
  )
}

type Membership = Pick<NodeFacts, 'environments'>

/** Nodes without environments are of all of them. */
const shareEnvironment = (a: Membership, b: Membership): boolean =>
  a.environments.length === 0 ||
  b.environments.length === 0 ||
  a.environments.some((one) => b.environments.includes(one))

function peersOf(view: ClusterView, facts: Membership): Peer[] {
  const peers: Peer[] = []
  for (const { name: node, facts: peer } of view.nodes.values()) {
    if (!shareEnvironment(facts, peer)) continue
    const { address, zones, environments } = peer
    peers.push({ node, address, zones: [...zones], environments: [...environments] })
  }
  return peers
}

/** What the agents of nodes of these environments have to know to let through exactly what is declared. */
export function policyFor(view: ClusterView, facts: Membership, network: NetworkConfig): Policy {
  const { services, services6 } = network
  const zones = rulesOf(view.zones)
  return { revision: view.revision, services, services6, zones, peers: peersOf(view, facts) }
}
