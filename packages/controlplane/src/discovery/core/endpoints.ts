import {
  isHealthy,
  splitServiceKey,
  type Endpoint,
  type EndpointTable,
  type ExternalService,
  type Instance,
  type ServiceKey,
  type ZonesSpec,
} from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import { offeredExposure, offeredPorts } from './offers.ts'
import { evenWeight, weightsOf } from './weights.ts'

/** Whether new traffic may go to the instance, as far as its own record tells. */
const offersService = (instance: Instance): boolean =>
  instance.desired === 'run' && instance.node !== null && isHealthy(instance)

/** Whether the change of the record leaves the endpoints as they are. */
export function servesAlike(before: Instance | undefined, after: Instance | undefined): boolean {
  const offered = before !== undefined && offersService(before)
  const offers = after !== undefined && offersService(after)
  return offered === offers && (!offers || before?.hostPorts === after.hostPorts)
}

/** Whether new traffic may go to the instance, as far as everything that is known tells. */
export function servesTraffic(view: ClusterView, instance: Instance): boolean {
  if (instance.node === null || !offersService(instance)) return false
  const node = view.nodes.get(instance.node)
  return node !== undefined && node.liveness !== 'lost' && !node.confirmedDead
}

export function endpointsOf(
  view: ClusterView,
  instance: Instance,
  weight = evenWeight,
): Endpoint[] {
  const node = instance.node === null ? undefined : view.nodes.get(instance.node)
  const revision = view.revisionOf(instance.service, instance.revision)
  if (!node || !revision) return []
  return Object.entries(instance.hostPorts).map(([port, hostPort]) => ({
    instance: instance.id,
    node: node.name,
    zone: revision.template.zone,
    port,
    address: node.facts.address,
    hostPort,
    weight,
  }))
}

/** All endpoints that serve, by instance and port; null when there is no such service. */
export function tableOf(view: ClusterView, key: ServiceKey): EndpointTable | null {
  const external = view.externals.get(key)
  if (external) return externalTable(external, view.revision)
  const service = view.services.get(key)
  const wanted = service && view.revisionOf(key, service.revision)
  if (wanted === undefined) return null
  const { spec } = wanted
  const serving = view.instancesOf(key).filter((instance) => servesTraffic(view, instance))
  const weights = weightsOf(view, wanted, serving)
  const endpoints = serving.flatMap((instance) =>
    endpointsOf(view, instance, weights.get(instance.id) ?? 0),
  )
  return {
    service: key,
    zone: spec.zone,
    revision: view.revision,
    addressIndex: service?.addressIndex ?? null,
    ports: offeredPorts(spec),
    expose: spec.expose.map(offeredExposure),
    external: false,
    endpoints,
  }
}

/** The table of what runs outside: the same for all, and always there. */
function externalTable({ key, spec, addressIndex }: ExternalService, revision: number): EndpointTable {
  const ports = Object.entries(spec.ports)
  const offered = ports.map(([name, { port, protocol }]) => {
    return [name, { port, protocol, mode: 'tcp', clientAddress: 'none' }] as const
  })
  const endpoints = spec.addresses.flatMap((address) =>
    ports.map(([port, { port: hostPort }]) => {
      const instance = `external-${address}`
      return { instance, node: 'external', zone: spec.zone, port, address, hostPort, weight: evenWeight }
    }),
  )
  return {
    service: key,
    zone: spec.zone,
    revision,
    addressIndex,
    ports: Object.fromEntries(offered),
    expose: [],
    external: true,
    endpoints,
  }
}

/** Zones that a zone's containers may look up and call: its own and those that it is declared to reach. */
export function reachesOf(zones: ZonesSpec): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(zones.zones).map(([name, { reaches }]) => [
      name,
      [...new Set([name, ...reaches])].toSorted(),
    ]),
  )
}

/** Whether an agent with these zones and environments (none: all) needs the table. */
export function concernsNode(
  table: { readonly service: ServiceKey; readonly zone: string },
  node: { readonly zones: readonly string[]; readonly environments: readonly string[] },
  reaches: Readonly<Record<string, readonly string[]>>,
): boolean {
  const { environment } = splitServiceKey(table.service)
  if (node.environments.length > 0 && !node.environments.includes(environment)) return false
  return node.zones.some((zone) => reaches[zone]?.includes(table.zone) ?? false)
}
