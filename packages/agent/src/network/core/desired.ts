import {
  type EndpointTable,
  type Peer,
  type Policy,
  serviceAddress,
  serviceAddress6,
  splitServiceKey,
} from '@bulkhead/shared'

import { canonicalNetwork, familyOf } from './address.ts'
import type { Bridge, Publication } from './bridge.ts'
import { type Egress, type Ruleset, type SetName, setNames } from './ruleset.ts'

/** All that decides what the kernel lets through. */
export interface NetworkView {
  /** Null: none has been heard yet, and no zone reaches any. */
  readonly policy: Policy | null
  readonly tables: ReadonlyMap<string, EndpointTable>
  readonly bridges: readonly Bridge[]
  readonly publications: readonly Publication[]
  /** Addresses of exclusive instances outside the fenced parts of their bridges. */
  readonly fenced: readonly string[]
}

const dnsPort = 53

/** What is declared, as the elements of the kernel's sets. What is in none of them is dropped. */
export function desiredRuleset(view: NetworkView): Ruleset {
  const sets = Object.fromEntries(setNames.map((name) => [name, new Set<string>()])) as Record<
    SetName,
    Set<string>
  >
  for (const bridge of view.bridges) {
    addBridge(sets, bridge)
    for (const element of reachable(view, bridge)) add(sets, 'reach', element)
  }
  const { policy } = view
  if (policy) {
    sets.services4.add(policy.services)
    if (policy.services6 !== null) sets.services6.add(canonicalNetwork(policy.services6))
  }
  for (const publication of view.publications) addPublication(sets, publication, policy)
  for (const address of view.fenced) {
    add(sets, 'fenced', { address, text: canonicalNetwork(address) })
  }
  return { sets, egress: egressOf(view) }
}

interface Element {
  /** Decides the family. */
  readonly address: string
  readonly text: string
}

type Pair = 'sources' | 'insides' | 'fenced' | 'reach' | 'published' | 'clients' | 'open'

/** What has no address (a host name, say) is in no set: it is dropped. */
function add(sets: Record<SetName, Set<string>>, pair: Pair, { address, text }: Element): void {
  const family = familyOf(address)
  if (family !== null) sets[`${pair}${family}`].add(text)
}

function addBridge(sets: Record<SetName, Set<string>>, bridge: Bridge): void {
  const device = quoted(bridge.device)
  sets.bridges.add(device)
  for (const address of bridge.subnets) {
    const text = canonicalNetwork(address)
    add(sets, 'sources', { address, text: `${device} . ${text}` })
    add(sets, 'insides', { address, text })
  }
  for (const address of bridge.fenced) {
    add(sets, 'fenced', { address, text: canonicalNetwork(address) })
  }
}

/** Whether containers of the bridge may know and use the service. */
export function reaches(policy: Policy | null, bridge: Bridge, table: EndpointTable): boolean {
  const { environment } = splitServiceKey(table.service)
  const rule = policy?.zones[bridge.zone]
  return environment === bridge.environment && (rule?.reaches.includes(table.zone) ?? false)
}

function* reachable(view: NetworkView, bridge: Bridge): Generator<Element> {
  for (const address of bridge.gateways) {
    yield door(bridge, address, 'udp', dnsPort)
    yield door(bridge, address, 'tcp', dnsPort)
    yield door(bridge, address, 'tcp', bridge.discoveryPort)
  }
  const { policy } = view
  if (policy === null) return
  for (const table of view.tables.values()) {
    if (!reaches(policy, bridge, table)) continue
    yield* ownAddresses(policy, bridge, table)
    yield* endpointsOf(bridge, table)
  }
}

/** The service's own address, where the node's proxy listens. */
function* ownAddresses(policy: Policy, bridge: Bridge, table: EndpointTable): Generator<Element> {
  const { addressIndex: index } = table
  if (index === null) return
  const { services, services6 } = policy
  for (const { port, protocol } of Object.values(table.ports)) {
    if (protocol !== 'tcp') continue
    yield door(bridge, serviceAddress(services, index), protocol, port)
    if (services6 !== null) {
      yield door(bridge, serviceAddress6(services6, services, index), protocol, port)
    }
  }
}

/** Where the instances themselves are published. */
export function* endpointsOf(bridge: Bridge, table: EndpointTable): Generator<Element> {
  for (const { address, port, hostPort } of table.endpoints) {
    yield door(bridge, address, table.ports[port]?.protocol ?? 'tcp', hostPort)
  }
}

function door(bridge: Bridge, address: string, protocol: string, port: number): Element {
  const text = [quoted(bridge.device), canonicalNetwork(address), protocol, port].join(' . ')
  return { address, text }
}

function addPublication(
  sets: Record<SetName, Set<string>>,
  publication: Publication,
  policy: Policy | null,
): void {
  const { address, protocol, hostPort } = publication
  const text = [canonicalNetwork(address), protocol, hostPort].join(' . ')
  add(sets, 'published', { address, text })
  if (policy === null) return
  if (publication.isFixed && policy.zones[publication.zone]?.edge === true) {
    add(sets, 'open', { address, text })
  }
  for (const peer of policy.peers) {
    if (familyOf(peer.address) !== familyOf(address)) continue
    if (!mayUse(peer, publication, policy)) continue
    add(sets, 'clients', { address, text: `${canonicalNetwork(peer.address)} . ${text}` })
  }
}

/** A node sends to an instance for its containers and through its proxy: what its zones may reach. */
function mayUse(peer: Peer, { environment, zone }: Publication, policy: Policy): boolean {
  if (peer.environments.length > 0 && !peer.environments.includes(environment)) return false
  return peer.zones.some((own) => policy.zones[own]?.reaches.includes(zone) ?? false)
}

function egressOf({ policy, bridges }: NetworkView): readonly Egress[] {
  return Object.entries(policy?.zones ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([zone, { egress: rules }]) => {
      const devices = bridges.flatMap((bridge) => (bridge.zone === zone ? [bridge.device] : []))
      return devices.length === 0 || rules.length === 0
        ? []
        : [{ devices: devices.toSorted(), rules }]
    })
}

const quoted = (device: string): string => `"${device}"`
