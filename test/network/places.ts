import {
  addressIndexes,
  type InstanceView,
  serviceAddress,
  serviceAddress6,
  spreadHash,
} from '@bulkhead/shared'

import type { Cluster } from '../cluster/cluster.ts'
import type { Host } from '../engines/host.ts'
import { probeFromContainer, type Target } from './probe.ts'

/** Something of the host's own that containers must not reach. */
export const hostPort = 9999

/** A container of a cluster, and where it could be reached. */
export interface Place {
  readonly name: string
  readonly instance: InstanceView
  readonly host: Host
  readonly addresses: readonly string[]
  readonly gateways: readonly string[]
  readonly discovery: string
  readonly published: string
}

export async function placeOf(cluster: Cluster, instance: InstanceView): Promise<Place> {
  const host = cluster.hosts.host(Number(instance.node?.slice('host'.length)))
  const info = await host.docker.getContainer(instance.containerId ?? '').inspect()
  const [network] = Object.values(info.NetworkSettings.Networks)
  const env = info.Config.Env.find((line) => line.startsWith('BULKHEAD_DISCOVERY='))
  const [endpoint] = instance.endpoints
  const both = (four?: string, six?: string): readonly string[] =>
    [four ?? '', six ? `[${six}]` : ''].filter((address) => address !== '')
  return {
    name: `${instance.service}@${instance.node}`,
    instance,
    host,
    addresses: both(network?.IPAddress, network?.GlobalIPv6Address),
    gateways: both(network?.Gateway, network?.IPv6Gateway),
    discovery: env?.slice('BULKHEAD_DISCOVERY='.length) ?? '',
    published: `${bracketed(endpoint?.address ?? '')}:${endpoint?.hostPort}`,
  }
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

export const family = (address: string): string => (address.startsWith('[') ? 'ipv6' : 'ipv4')

const services = ['web', 'api', 'db'] as const
/** As the control plane has it when nothing else is said. */
const network = { services: '10.231.0.0/16', services6: 'fd62:756c:6b00::/96' }

/** Where the node's proxy listens for each service: where the search for a free place begins, and nobody else is. */
export function serviceTargets(): readonly Target[] {
  const { first, last } = addressIndexes
  return services.flatMap((service) => {
    const index = first + (spreadHash(`default/${service}`) % (last - first + 1))
    const four = serviceAddress(network.services, index)
    const six = `[${serviceAddress6(network.services6, network.services, index)}]`
    return [four, six].map((address) => ({
      name: `${service} at its address, ${family(address)}`,
      url: `http://${address}:8080/healthz`,
    }))
  })
}

/** Something with an address on the wire between the hosts. */
export type Machine = Pick<Host, 'name' | 'address'>

/** Everything that there is to reach, each under a name that says what it is. */
export function targetsFor(
  places: readonly Place[],
  machines: readonly Machine[],
): readonly Target[] {
  return [
    ...places.flatMap(({ name, addresses, gateways, published, discovery }) => [
      ...addresses.map((address) => ({
        name: `${name} itself, ${family(address)}`,
        url: `http://${address}:8080/healthz`,
      })),
      { name: `${name} published`, url: `http://${published}/healthz` },
      ...gateways.map((gateway) => ({
        name: `the host of ${name} at its gateway, ${family(gateway)}`,
        url: `http://${gateway}:${hostPort}/`,
      })),
      { name: `discovery of ${name}`, url: `${discovery}/v1/services` },
    ]),
    ...serviceTargets(),
    ...machines.map(({ name, address }) => ({
      name: `the host ${name}`,
      url: `http://${address}:${hostPort}/`,
    })),
  ]
}

/** Containers can be addressed from other hosts of the same wire when somebody sets routes. */
export async function setRoutes(places: readonly Place[]): Promise<void> {
  for (const { host } of places) {
    for (const other of places) {
      if (other.host === host) continue
      const [address = ''] = other.addresses
      await host.run(['ip', 'route', 'replace', `${address}/32`, 'via', other.host.address])
    }
  }
}

/** Names of what each container reaches. */
export interface Matrix {
  readonly [from: string]: readonly string[]
}

export async function measure(
  places: readonly Place[],
  machines: readonly Machine[],
): Promise<Matrix> {
  const targets = targetsFor(places, machines)
  const found = await Promise.all(
    places.map(async ({ name, host, instance }) => {
      const others = targets.filter((target) => !target.name.startsWith(`${name} itself`))
      return [name, await probeFromContainer(host, instance.containerId ?? '', others)] as const
    }),
  )
  return Object.fromEntries(found)
}
