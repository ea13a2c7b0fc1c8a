import {
  type EndpointTable,
  ipFamily,
  type NodeFacts,
  type OfferedPort,
  type Policy,
  serviceAddress,
  serviceAddress6,
  splitServiceKey,
} from '@bulkhead/shared'

import type { Traffic } from '../../traffic/consumer.ts'
import type { Backend, Frontend, ProxyConfig, Server } from './config.ts'
import { edgeFrontends, type Exposed } from './edge.ts'
import type { Certificates } from './edge.ts'

/** The node whose proxy it is. */
export interface ProxyNode {
  readonly zones: readonly string[]
  /** None: all. */
  readonly environments: readonly string[]
  /** Where the edge listens. */
  readonly edgeAddresses: readonly string[]
}

type Membership = Pick<NodeFacts, 'address' | 'zones' | 'environments'>

/** `edgeAddresses`, unless they are none, take the place of the node's own address at the edge. */
export function proxyNode(facts: Membership, edgeAddresses: readonly string[]): ProxyNode {
  const { address, zones, environments } = facts
  return {
    zones,
    environments,
    edgeAddresses: edgeAddresses.length > 0 ? edgeAddresses : [address],
  }
}

export interface MadeConfig {
  readonly config: ProxyConfig
  /** What is left out, and why: whole sentences. */
  readonly problems: readonly string[]
}

/** Names of HAProxy may contain dots, those of environments, services and ports may not. */
const backendName = (service: string, port: string): string =>
  `${service.replace('/', '.')}.${port}`

/** What the proxy of a node is to do by these tables and rules. */
export function makeConfig(
  traffic: Traffic,
  policy: Policy,
  node: ProxyNode,
  certificates: Certificates,
): MadeConfig {
  const reached = reachedZones(policy, node)
  const isHere = (table: EndpointTable): boolean =>
    reached.has(table.zone) && isServed(node, splitServiceKey(table.service).environment)
  const tables = [...traffic.tables.values()]
    .filter(isHere)
    .toSorted((a, b) => (a.service < b.service ? -1 : 1))
  const offered = tables.flatMap((table) => offeredPorts(table, policy))
  const edge = edgeFrontends(exposures(tables, policy, node), node.edgeAddresses, certificates)
  const problems = [...offered.flatMap(({ problems: found }) => found), ...edge.problems]
  const { services, services6 } = policy
  const frontends = [...offered.flatMap((port) => port.frontends), ...edge.frontends]
  const backends = offered.map(({ backend }) => backend)
  return { config: { frontends, backends, services, services6 }, problems }
}

const isServed = ({ environments }: ProxyNode, environment: string): boolean =>
  environments.length === 0 || environments.includes(environment)

function reachedZones(policy: Policy, node: ProxyNode): ReadonlySet<string> {
  return new Set(node.zones.flatMap((zone) => policy.zones[zone]?.reaches ?? []))
}

interface Offered {
  readonly backend: Backend
  readonly frontends: readonly Frontend[]
  readonly problems: readonly string[]
}

function offeredPorts(table: EndpointTable, policy: Policy): Offered[] {
  return Object.entries(table.ports)
    .filter(([, { protocol }]) => protocol === 'tcp')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, port]) => offer(table, name, port, policy))
}

function offer(table: EndpointTable, name: string, port: OfferedPort, policy: Policy): Offered {
  const { mode, clientAddress } = port
  const backend = backendName(table.service, name)
  const { servers, problems } = serversOf(table, name)
  const frontends = addressesOf(table, policy).map((address): Frontend => ({
    name: ipFamily(address) === 6 ? `${backend}.6` : backend,
    mode,
    address,
    port: port.port,
    isEdge: false,
    tls: null,
    routes: [],
    backend,
  }))
  return { backend: { name: backend, mode, clientAddress, servers }, frontends, problems }
}

function addressesOf({ addressIndex }: EndpointTable, { services, services6 }: Policy): string[] {
  if (addressIndex === null) return []
  const address = serviceAddress(services, addressIndex)
  return services6 === null
    ? [address]
    : [address, serviceAddress6(services6, services, addressIndex)]
}

function serversOf(table: EndpointTable, port: string): { servers: Server[]; problems: string[] } {
  const servers = new Map<string, Server>()
  const problems: string[] = []
  for (const { instance, port: of, address, hostPort, weight } of table.endpoints) {
    if (of !== port) continue
    if (ipFamily(address) === null) {
      problems.push(
        `${table.service}: ${address} is no IP address, so that the proxy cannot use it`,
      )
      continue
    }
    servers.set(instance, { name: instance, address, port: hostPort, weight })
  }
  return { servers: [...servers.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)), problems }
}

/** Services of an edge zone are exposed on the nodes of that zone. */
function exposures(tables: readonly EndpointTable[], policy: Policy, node: ProxyNode): Exposed[] {
  return tables.flatMap(({ service, zone, ports, expose }) => {
    if (!node.zones.includes(zone) || policy.zones[zone]?.edge !== true) return []
    return expose.flatMap((exposure): Exposed[] => {
      const port = ports[exposure.port]
      if (port?.protocol !== 'tcp') return []
      return [
        { ...exposure, service, mode: port.mode, backend: backendName(service, exposure.port) },
      ]
    })
  })
}
