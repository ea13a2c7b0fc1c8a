import { splitServiceKey, templateHash } from '@bulkhead/shared'

import type { ContainerSpec } from './container-spec.ts'
import type { Lineage } from './lineage.ts'
import { type NodeIdentity, ownership, ownLabels } from './ownership.ts'
import { resolverSettings } from './visible-names.ts'

/** What a container of this node needs beyond its assignment. */
export interface Surroundings {
  readonly identity: NodeIdentity
  /** Where the node publishes ports. */
  readonly address: string
  readonly network: string
  /** What only exclusive instances get; null: the engine chooses. */
  readonly addresses: ContainerSpec['addresses']
  /** URL of discovery as seen from the container. */
  readonly discovery: string
  /** Address of the network's name server; null: there is none. */
  readonly nameServer: string | null
}

/** The link that a container is made for: the current one, or the successor ahead of time. */
export interface ContainerLink {
  readonly id: string
  readonly predecessor: string | null
  readonly attempt: number
  readonly startAtMs: number
  /** Made ahead of need, to be started quickly. */
  readonly isPrepared?: boolean
}

/** What the engine does to start a container counts against its limit; this is enough not to hold it up. */
const quickStartMillis = 1000

/** Why a container cannot be made from the template as it is; empty when it can. */
export function unsupported(lineage: Lineage): string {
  const { template } = lineage.assignment
  if (Object.values(template.env).some((value) => typeof value !== 'string')) {
    return 'its environment refers to a secret, which this agent cannot provide'
  }
  if (template.secrets.length > 0) return 'it asks for secrets, which this agent cannot provide'
  if (template.volumes.length > 0) return 'it asks for volumes, which this agent cannot provide'
  return ''
}

export function makeSpec(
  lineage: Lineage,
  link: ContainerLink,
  around: Surroundings,
): ContainerSpec {
  const { template, hostPorts } = lineage.assignment
  const { resources, security } = template
  return {
    name: `bulkhead-${link.id}`,
    imageReference: template.image.reference,
    command: template.command,
    args: template.args,
    env: environmentOf(lineage, link, around),
    labels: labelsOf(lineage, link, around),
    network: around.network,
    resolver: resolverOf(lineage, around),
    addresses: around.addresses,
    ports: Object.entries(template.ports).flatMap(([name, port]) => {
      const hostPort = hostPorts[name]
      if (hostPort === undefined) return []
      const { address } = around
      return [{ containerPort: port.port, protocol: port.protocol, address, hostPort }]
    }),
    cpuMillis: startsQuickly(lineage, link) ? quickStartMillis : resources.cpuMillis,
    memoryBytes: resources.memoryBytes,
    pids: resources.pids,
    user: security.user,
    group: security.group,
    writable: security.writable,
    writableRoot: security.writableRoot,
    capabilities: security.capabilities,
    stopSignal: template.stop.signal,
  }
}

function resolverOf(lineage: Lineage, { nameServer }: Surroundings): ContainerSpec['resolver'] {
  if (nameServer === null) return null
  return resolverSettings(nameServer, splitServiceKey(lineage.assignment.service).environment)
}

const startsQuickly = ({ assignment }: Lineage, { isPrepared }: ContainerLink): boolean =>
  isPrepared === true && assignment.template.resources.cpuMillis < quickStartMillis

function labelsOf(
  lineage: Lineage,
  link: ContainerLink,
  { identity, addresses }: Surroundings,
): Readonly<Record<string, string>> {
  const given = [addresses.ipv4, addresses.ipv6].filter((address) => address !== null)
  const { service, slot, revision, template, hostPorts } = lineage.assignment
  return {
    ...ownLabels(identity),
    [ownership.environment]: splitServiceKey(service).environment,
    [ownership.zone]: template.zone,
    [ownership.service]: service,
    [ownership.slot]: String(slot),
    [ownership.instance]: link.id,
    [ownership.revision]: String(revision),
    [ownership.template]: templateHash(template),
    [ownership.origin]: lineage.origin,
    [ownership.predecessor]: link.predecessor ?? '',
    [ownership.attempt]: String(link.attempt),
    [ownership.startAt]: String(link.startAtMs),
    [ownership.ports]: JSON.stringify(hostPorts),
    ...(template.exclusive ? { [ownership.exclusive]: 'true' } : {}),
    ...(given.length > 0 ? { [ownership.addresses]: given.join(',') } : {}),
    ...(startsQuickly(lineage, link)
      ? { [ownership.cpuLimit]: String(template.resources.cpuMillis) }
      : {}),
  }
}

/** The service's own variables win: what people wrote is what their program sees. */
function environmentOf(
  lineage: Lineage,
  link: ContainerLink,
  around: Surroundings,
): Readonly<Record<string, string>> {
  const { service, slot, template, hostPorts } = lineage.assignment
  const { environment, name } = splitServiceKey(service)
  const ports: Record<string, string> = {}
  for (const [port, { port: containerPort }] of Object.entries(template.ports)) {
    const variable = port.toUpperCase().replaceAll('-', '_')
    ports[`BULKHEAD_PORT_${variable}`] = String(containerPort)
    const hostPort = hostPorts[port]
    if (hostPort !== undefined) ports[`BULKHEAD_HOST_PORT_${variable}`] = String(hostPort)
  }
  return {
    BULKHEAD_DISCOVERY: around.discovery,
    BULKHEAD_ENVIRONMENT: environment,
    BULKHEAD_ZONE: template.zone,
    BULKHEAD_SERVICE: name,
    BULKHEAD_INSTANCE: link.id,
    BULKHEAD_SLOT: String(slot),
    BULKHEAD_NODE: around.identity.node,
    ...ports,
    ...(template.env as Readonly<Record<string, string>>),
  }
}
