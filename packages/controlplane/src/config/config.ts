import { formatDuration, isServicesNetwork, isServicesNetwork6, parseDurationMs } from '@bulkhead/shared'

import type { ConfigSource } from './schema.ts'

export interface RegistryConfig {
  readonly host: string
  /** True: plain HTTP, for a registry without TLS. */
  readonly insecure: boolean
  readonly username: string | null
  readonly passwordFile: string | null
}

export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface NodesConfig {
  readonly heartbeatMs: number
  readonly suspectAfterMs: number
  readonly lostAfterMs: number
  /** So long an engine may not answer, its agent being there, before the node counts as lost. */
  readonly downAfterMs: number
  readonly restartGraceMs: number
  /** A node that nobody answers for this long has stopped its exclusive instances. */
  readonly leaseMs: number
  /** Part of all nodes, 0 to 1: when more than that are silent at once, nobody is declared lost for a while. */
  readonly massLossBrake: number
  /** How long the brake holds. */
  readonly massLossHoldMs: number
  /** Nodes whose kernel does not hold zones take instances all the same. */
  readonly allowUnenforced: boolean
}

export interface NetworkConfig {
  /** A /16 of IPv4 in which services have their addresses on every node. */
  readonly services: string
  /** The /96 of IPv6 that continues it; null: services have no address of IPv6. */
  readonly services6: string | null
}

/** The control plane's configuration: read once, complete, never changed. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number }
  readonly images: { readonly registries: readonly RegistryConfig[]; readonly local: 'deny' | 'allow' }
  readonly nodes: NodesConfig
  readonly ports: { readonly range: PortRange }
  readonly network: NetworkConfig
  /** Where DNS is served for those who are on no node; null: it is not. */
  readonly dns: Config['listen'] | null
  readonly rebalance: { readonly enabled: boolean; readonly maxAtOnce: number }
}

export class ConfigProblem extends Error {}

function parseListen(key: string, text: string): Config['listen'] {
  const at = text.lastIndexOf(':')
  const host = text.slice(0, at).replace(/^\[|\]$/g, '')
  const port = Number(text.slice(at + 1))
  if (at < 1 || !Number.isInteger(port) || port < 0 || port > 65535) {
    throw new ConfigProblem(`${key}: ${JSON.stringify(text)} is not HOST:PORT, such as 127.0.0.1:7070`)
  }
  return { host, port }
}

function parseRange(text: string): PortRange {
  const [first = 0, last = 0] = text.split('-').map(Number)
  if (first < 1 || last > 65535 || first > last) {
    throw new ConfigProblem(`ports.range: ${text} is not FIRST-LAST within 1-65535`)
  }
  return { first, last }
}

/** The schema has checked the form, so that null is a bug. */
function durationMs(text: string): number {
  const parsed = parseDurationMs(text)
  if (parsed === null) throw new ConfigProblem(`${text} is not a duration`)
  return parsed
}

/** In heartbeats, and the time that an engine may take to stop a container twice over. */
const shortestLease = 4
const shortestLeaseMs = 6000

function nodesOf(source: NonNullable<ConfigSource['nodes']>, unenforced: 'deny' | 'allow'): NodesConfig {
  const nodes = {
    heartbeatMs: durationMs(source.heartbeat ?? '500ms'),
    suspectAfterMs: durationMs(source.suspectAfter ?? '1.5s'),
    lostAfterMs: durationMs(source.lostAfter ?? '2.5s'),
    downAfterMs: durationMs(source.downAfter ?? '1m'),
    leaseMs: durationMs(source.lease ?? '15s'),
    restartGraceMs: durationMs(source.restartGrace ?? '10s'),
    massLossBrake: Number.parseInt(source.massLossBrake ?? '30%', 10) / 100,
    massLossHoldMs: durationMs(source.massLossHold ?? '1m'),
    allowUnenforced: unenforced === 'allow',
  }
  if (nodes.heartbeatMs < 100) throw new ConfigProblem('nodes.heartbeat: at least 100ms')
  if (nodes.suspectAfterMs <= nodes.heartbeatMs) {
    throw new ConfigProblem('nodes.suspectAfter: must be longer than nodes.heartbeat')
  }
  if (nodes.lostAfterMs <= nodes.suspectAfterMs) {
    throw new ConfigProblem('nodes.lostAfter: must be longer than nodes.suspectAfter')
  }
  if (nodes.downAfterMs < nodes.lostAfterMs) {
    throw new ConfigProblem('nodes.downAfter: must not be shorter than nodes.lostAfter')
  }
  if (nodes.leaseMs < shortestLease * nodes.heartbeatMs || nodes.leaseMs < shortestLeaseMs) {
    const least = Math.max(shortestLease * nodes.heartbeatMs, shortestLeaseMs)
    throw new ConfigProblem(`nodes.lease: at least ${formatDuration(least)}, so that a lost heartbeat ends nothing`)
  }
  return nodes
}

function networkOf(source: NonNullable<ConfigSource['network']>): NetworkConfig {
  const { services = '10.231.0.0/16', services6 = 'fd62:756c:6b00::/96' } = source
  if (!isServicesNetwork(services)) {
    throw new ConfigProblem(`network.services: ${services} is not a /16 of IPv4, such as 10.231.0.0/16`)
  }
  if (services6 !== 'none' && !isServicesNetwork6(services6)) {
    throw new ConfigProblem(`network.services6: ${services6} is neither none nor a /96 of IPv6, such as fd62:756c:6b00::/96`)
  }
  return { services, services6: services6 === 'none' ? null : services6 }
}

/** Fills in the defaults and refuses contradictions, naming the key. Throws ConfigProblem. */
export function makeConfig(source: ConfigSource, flags: { readonly listen?: string }): Config {
  const registries = (source.images?.registries ?? []).map((registry) => ({
    host: registry.host,
    insecure: registry.insecure ?? false,
    username: registry.username ?? null,
    passwordFile: registry.passwordFile ?? null,
  }))
  for (const { host, username, passwordFile } of registries) {
    if ((username === null) !== (passwordFile === null)) {
      throw new ConfigProblem(`images.registries: ${host} needs username and passwordFile, or neither`)
    }
  }
  return Object.freeze({
    listen: parseListen('listen', flags.listen ?? source.listen ?? '127.0.0.1:7070'),
    images: { registries, local: source.images?.local ?? 'deny' },
    nodes: nodesOf(source.nodes ?? {}, source.zones?.unenforced ?? 'deny'),
    ports: { range: parseRange(source.ports?.range ?? '20000-32000') },
    network: networkOf(source.network ?? {}),
    dns: source.dns?.listen === undefined ? null : parseListen('dns.listen', source.dns.listen),
    rebalance: {
      enabled: source.rebalance?.enabled ?? true,
      maxAtOnce: source.rebalance?.maxAtOnce ?? 1,
    },
  })
}
