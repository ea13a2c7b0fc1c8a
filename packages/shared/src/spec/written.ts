import { exactMemory, formatCpu, formatDuration } from './quantity.ts'
import type { ServiceSource } from './source.ts'
import type { Check, Probe, ServicePort, ServiceSpec } from './spec.ts'

type Written<K extends keyof ServiceSource> = NonNullable<ServiceSource[K]>
type WrittenProbe = NonNullable<Written<'health'>['startup']>

/** Leaves out what is null: a document that does not mention it says the same. */
const present = <K extends string, T>(key: K, value: T | null | undefined): { [key in K]?: T } =>
  value === null || value === undefined ? {} : ({ [key]: value } as { [key in K]: T })

/** How a port is passed on is no matter of UDP, which goes to instances directly. */
function writtenPort({
  host,
  mode,
  clientAddress,
  ...port
}: ServicePort): Written<'ports'>[string] {
  const offer = port.protocol === 'tcp' ? { mode, clientAddress } : {}
  return { ...port, ...offer, ...present('host', host) }
}

function writtenCheck(check: Check): WrittenProbe {
  if (check.kind === 'exec') return { exec: check.command }
  if (check.kind === 'tcp') return { tcp: { port: check.port } }
  const { port, path, headers } = check
  return { http: { port, path, headers } }
}

function writtenProbe(probe: Probe | null): WrittenProbe | null {
  if (probe === null) return null
  const { check, intervalMs, timeoutMs, failures, successes } = probe
  return {
    ...writtenCheck(check),
    interval: formatDuration(intervalMs),
    timeout: formatDuration(timeoutMs),
    failures,
    successes,
  }
}

function writtenUpdate(update: ServiceSpec['update']): Written<'update'> {
  const { minHealthyTimeMs, progressDeadlineMs, steps, analysis, keepOldMs, ...same } = update
  return {
    ...same,
    minHealthyTime: formatDuration(minHealthyTimeMs),
    progressDeadline: formatDuration(progressDeadlineMs),
    ...(steps && {
      steps: steps.map(({ weightPercent, pauseMs }) => ({
        weight: weightPercent,
        pause: pauseMs === null ? 'manual' : formatDuration(pauseMs),
      })),
    }),
    ...(analysis && {
      analysis: {
        maxErrorRate: `${analysis.maxErrorPercent}%`,
        minRequests: analysis.minRequests,
      },
    }),
    ...(keepOldMs === undefined ? {} : { keepOld: formatDuration(keepOldMs) }),
  }
}

function writtenScale(scale: ServiceSpec['scale']): Written<'scale'> | null {
  if (scale === null) return null
  const { min, max, cpuPercent, schedule } = scale
  return { min, max, schedule, ...(cpuPercent === null ? {} : { cpu: `${cpuPercent}%` }) }
}

/**
 * A service as people would write it when nothing is left to a default: the keys and the units of documents.
 * `normaliseService` makes the same spec of it.
 */
export function writtenService(spec: ServiceSpec): ServiceSource {
  const { resources, ports, health, restart, update, stop, expose, scale, ...same } = spec
  const { cpuMillis, memoryBytes, pids } = resources
  return {
    apiVersion: 'bulkhead/v1',
    kind: 'Service',
    ...same,
    ports: Object.fromEntries(
      Object.entries(ports).map(([name, port]) => [name, writtenPort(port)]),
    ),
    resources: { cpu: formatCpu(cpuMillis), memory: exactMemory(memoryBytes), pids },
    health: {
      ...present('startup', writtenProbe(health.startup)),
      ...present('readiness', writtenProbe(health.readiness)),
      ...present('liveness', writtenProbe(health.liveness)),
    },
    restart: {
      delay: formatDuration(restart.delayMs),
      maxDelay: formatDuration(restart.maxDelayMs),
      resetAfter: formatDuration(restart.resetAfterMs),
    },
    update: writtenUpdate(update),
    stop: {
      drain: formatDuration(stop.drainMs),
      signal: stop.signal,
      grace: formatDuration(stop.graceMs),
    },
    expose: expose.map(({ host, tlsSecret, ...one }) => ({
      ...one,
      ...present('host', host),
      ...present('tls', tlsSecret === null ? null : { secret: tlsSecret }),
    })),
    ...present('scale', writtenScale(scale)),
  } as ServiceSource
}
