import { canonicalAddress, formatCidr, parseCidr } from './cidr.ts'
import { duration, readable } from './normalise-quantity.ts'
import { normaliseUpdate } from './normalise-update.ts'
import { parseCpuMillis, parseMemoryBytes } from './quantity.ts'
import type { ExternalServiceSource, ServiceSource, ZonesSource } from './source.ts'
import type {
  Check,
  EnvValue,
  ExternalServiceSpec,
  HealthSpec,
  ServicePort,
  Probe,
  ServiceSpec,
  ZonePolicy,
  ZonesSpec,
} from './spec.ts'

/** Values for whatever a document does not say: safe before convenient. */
const defaults = {
  environment: 'default',
  cpuMillis: 250,
  memoryBytes: 128 * 1024 * 1024,
  pids: 256,
  user: 1000,
  group: 1000,
  writable: ['/tmp', '/run'],
  startup: { intervalMs: 1000, failures: 60 },
  probe: { intervalMs: 5000, failures: 3 },
  probeTimeoutMs: 2000,
} as const

/** Own properties whatever the key, so that none can reach a prototype. */
function mapValues<T, R>(
  map: Readonly<Record<string, T>> | undefined,
  convert: (value: T) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => [key, convert(value)]))
}

type Source<K extends keyof ServiceSource> = NonNullable<ServiceSource[K]>
type ProbeSource = NonNullable<Source<'health'>['liveness']>

function normalisePort(
  name: string,
  source: Source<'ports'>[string],
  health: ServiceSource['health'],
): ServicePort {
  const given = typeof source === 'number' ? { port: source } : source
  const { port, protocol = 'tcp', host = null } = given
  const mode = given.mode ?? defaultMode(name, protocol, health)
  const clientAddress = given.clientAddress ?? defaultClientAddress(mode)
  return { port, protocol, host, mode, clientAddress }
}

/** What is probed by HTTP speaks it, and what is called so. */
export function defaultMode(
  name: string,
  protocol: ServicePort['protocol'],
  health: ServiceSource['health'],
): ServicePort['mode'] {
  const probes = Object.values(health ?? {})
  const speaksHttp = name === 'http' || probes.some(({ http }) => http?.port === name)
  return protocol === 'tcp' && speaksHttp ? 'http' : 'tcp'
}

export const defaultClientAddress = (mode: ServicePort['mode']): ServicePort['clientAddress'] =>
  mode === 'http' ? 'header' : 'none'

const normaliseEnv = (source: Source<'env'>[string]): EnvValue =>
  typeof source === 'object' ? { secret: source.secret } : String(source)

function normaliseCheck({ http, tcp, exec }: ProbeSource): Check {
  if (http) {
    const { port, path = '/', headers } = http
    return { kind: 'http', port, path, headers: mapValues(headers, (value) => value) }
  }
  if (tcp) return { kind: 'tcp', port: tcp.port }
  if (exec) return { kind: 'exec', command: [...exec] }
  throw new TypeError('not validated: a probe')
}

function normaliseProbe(
  source: ProbeSource | undefined,
  byDefault: { readonly intervalMs: number; readonly failures: number },
): Probe | null {
  if (!source) return null
  const intervalMs = duration(source.interval, byDefault.intervalMs)
  return {
    check: normaliseCheck(source),
    intervalMs,
    timeoutMs: duration(source.timeout, Math.min(defaults.probeTimeoutMs, intervalMs)),
    failures: source.failures ?? byDefault.failures,
    successes: source.successes ?? 1,
  }
}

function normaliseHealth(source: ServiceSource['health']): HealthSpec {
  return {
    startup: normaliseProbe(source?.startup, defaults.startup),
    readiness: normaliseProbe(source?.readiness, defaults.probe),
    liveness: normaliseProbe(source?.liveness, defaults.probe),
  }
}

function normaliseResources(source: ServiceSource['resources']): ServiceSpec['resources'] {
  const { cpu, memory, pids = defaults.pids } = source ?? {}
  return {
    cpuMillis: cpu === undefined ? defaults.cpuMillis : readable(parseCpuMillis(cpu), 'cpu'),
    memoryBytes:
      memory === undefined ? defaults.memoryBytes : readable(parseMemoryBytes(memory), 'memory'),
    pids,
  }
}

function normaliseRestart(source: ServiceSource['restart']): ServiceSpec['restart'] {
  const delayMs = duration(source?.delay, Math.min(1000, duration(source?.maxDelay, 60_000)))
  return {
    delayMs,
    maxDelayMs: duration(source?.maxDelay, Math.max(60_000, delayMs)),
    resetAfterMs: duration(source?.resetAfter, 600_000),
  }
}

function normaliseStop(source: ServiceSource['stop']): ServiceSpec['stop'] {
  return {
    drainMs: duration(source?.drain, 5000),
    signal: source?.signal ?? 'SIGTERM',
    graceMs: duration(source?.grace, 10_000),
  }
}

function normaliseSecurity(source: ServiceSource['security']): ServiceSpec['security'] {
  const writable = new Set([...defaults.writable, ...(source?.writable ?? [])])
  return {
    user: source?.user ?? defaults.user,
    group: source?.group ?? source?.user ?? defaults.group,
    writable: [...writable].toSorted(),
    capabilities: [...(source?.capabilities ?? [])],
    writableRoot: source?.writableRoot ?? false,
  }
}

function normaliseScale(source: ServiceSource['scale'], replicas: number): ServiceSpec['scale'] {
  if (!source) return null
  const min = source.min ?? Math.min(replicas, source.max ?? replicas)
  return {
    min,
    max: source.max ?? Math.max(replicas, min),
    cpuPercent: source.cpu === undefined ? null : Number.parseInt(source.cpu, 10),
    schedule: (source.schedule ?? []).map(({ cron, replicas: count }) => ({
      cron,
      replicas: count,
    })),
  }
}

const named = ({ name, path }: { readonly name: string; readonly path: string }) => ({ name, path })

/** Fills in every default of a validated document and turns every quantity into a number. */
export function normaliseService(source: ServiceSource): ServiceSpec {
  const { placement, replicas = 1 } = source
  return {
    name: source.name,
    environment: source.environment ?? defaults.environment,
    labels: mapValues(source.labels, (value) => value),
    zone: source.zone,
    image: source.image,
    command: [...(source.command ?? [])],
    args: [...(source.args ?? [])],
    replicas,
    env: mapValues(source.env, normaliseEnv),
    ports: Object.fromEntries(
      Object.entries(source.ports ?? {}).map(([name, port]) => [
        name,
        normalisePort(name, port, source.health),
      ]),
    ),
    resources: normaliseResources(source.resources),
    placement: {
      require: [...(placement?.require ?? [])],
      prefer: (placement?.prefer ?? []).map(({ match, weight }) => ({ match, weight })),
      separate: (placement?.separate ?? []).map(({ from, by }) => ({ from, by })),
      spread: [...(placement?.spread ?? [])],
    },
    health: normaliseHealth(source.health),
    restart: normaliseRestart(source.restart),
    update: normaliseUpdate(source.update),
    stop: normaliseStop(source.stop),
    exclusive: source.exclusive ?? false,
    dependsOn: [...new Set(source.dependsOn)],
    expose: (source.expose ?? []).map(({ port, listen, host = null, path = '/', tls }) => ({
      port,
      listen,
      host,
      path,
      tlsSecret: tls?.secret ?? null,
    })),
    secrets: (source.secrets ?? []).map(named),
    volumes: (source.volumes ?? []).map(named),
    security: normaliseSecurity(source.security),
    scale: normaliseScale(source.scale, replicas),
  }
}

export function normaliseExternalService(source: ExternalServiceSource): ExternalServiceSpec {
  return {
    name: source.name,
    environment: source.environment ?? defaults.environment,
    zone: source.zone,
    addresses: source.addresses.map(canonicalAddress),
    ports: mapValues(source.ports, (port) => {
      if (typeof port === 'number') return { port, protocol: 'tcp' as const }
      return { port: port.port, protocol: port.protocol ?? 'tcp' }
    }),
  }
}

/** Zones that a document does not describe further are no edge, reach nothing, and nothing leaves them. */
export function normaliseZones(source: ZonesSource): ZonesSpec {
  return {
    zones: mapValues(source.zones, ({ edge = false, reaches = [], egress = [] }): ZonePolicy => ({
      edge,
      reaches: [...new Set(reaches)],
      egress: egress.map(({ to, ports = [], protocol = 'tcp' }) => {
        const network = parseCidr(to)
        return { to: network ? formatCidr(network) : to, protocol, ports: [...new Set(ports)] }
      }),
    })),
  }
}
