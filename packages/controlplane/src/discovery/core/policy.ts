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

const byNode = (a: Peer, b: Peer): number => (a.node < b.node ? -1 : 1)

/** Who shares an environment with whom: made once, for the agents of many nodes. */
export class Peers {
  readonly #all: Peer[] = []
  /** Nodes without environments are of all of them. */
  readonly #everywhere: Peer[] = []
  readonly #byEnvironment = new Map<string, Peer[]>()

  constructor(view: ClusterView) {
    for (const { name: node, facts } of view.nodes.values()) {
      const { address, zones, environments } = facts
      const peer = { node, address, zones: [...zones], environments: [...environments] }
      this.#all.push(peer)
      if (environments.length === 0) this.#everywhere.push(peer)
      for (const environment of environments) {
        const others = this.#byEnvironment.get(environment)
        if (others) others.push(peer)
        else this.#byEnvironment.set(environment, [peer])
      }
    }
  }

  /** In the order of their names. */
  of({ environments }: Membership): Peer[] {
    if (environments.length === 0) return [...this.#all]
    const own = environments.flatMap((one) => this.#byEnvironment.get(one) ?? [])
    return [...new Set([...this.#everywhere, ...own])].toSorted(byNode)
  }
}

/** What the agents of nodes of these environments have to know to let through exactly what is declared. */
export function policyFor(view: ClusterView, facts: Membership, network: NetworkConfig, peers = new Peers(view)): Policy {
  const { services, services6 } = network
  const zones = rulesOf(view.zones)
  return { revision: view.revision, services, services6, zones, peers: peers.of(facts) }
}
