import { formatDuration, type ServiceSource, type ServiceSpec } from '@bulkhead/shared'

type Probe = NonNullable<ServiceSpec['health']['startup']>

const ms = (value: number): string => (value === 0 ? formatDuration(0) : `${value}ms`)

function checkOf({ check }: Probe): object {
  if (check.kind === 'exec') return { exec: check.command }
  if (check.kind === 'tcp') return { tcp: { port: check.port } }
  const { port, path, headers } = check
  return { http: { port, path, headers } }
}

const probeOf = (probe: Probe | null): object | undefined =>
  probe === null
    ? undefined
    : {
        ...checkOf(probe),
        interval: ms(probe.intervalMs),
        timeout: ms(probe.timeoutMs),
        failures: probe.failures,
        successes: probe.successes,
      }

function updateOf(update: ServiceSpec['update']): object {
  const { strategy, maxSurge, maxUnavailable, onFailure, steps, analysis, keepOldMs, promote } = update
  return {
    strategy,
    maxSurge,
    maxUnavailable,
    minHealthyTime: ms(update.minHealthyTimeMs),
    progressDeadline: ms(update.progressDeadlineMs),
    onFailure,
    ...(steps && {
      steps: steps.map(({ weightPercent: weight, pauseMs }) => ({
        weight,
        pause: pauseMs === null ? 'manual' : ms(pauseMs),
      })),
    }),
    ...(analysis && {
      analysis: {
        maxErrorRate: `${analysis.maxErrorPercent}%`,
        minRequests: analysis.minRequests,
      },
    }),
    ...(keepOldMs !== undefined && { keepOld: ms(keepOldMs) }),
    ...(promote && { promote }),
  }
}

/** A document that says everything that a normalised service says, and leaves nothing to a default. */
export function sourceOf(spec: ServiceSpec): ServiceSource {
  const { resources, health, restart, update, stop, scale, ports, expose, ...same } = spec
  const { cpuMillis, memoryBytes, pids } = resources
  const document = {
    apiVersion: 'bulkhead/v1',
    kind: 'Service',
    ...same,
    ports: Object.fromEntries(
      Object.entries(ports).map(([name, { port, protocol, host }]) => [
        name,
        host === null ? { port, protocol } : { port, protocol, host },
      ]),
    ),
    resources: { cpu: `${cpuMillis}m`, memory: memoryBytes, pids },
    health: Object.fromEntries(
      Object.entries(health).flatMap(([name, probe]) => (probe ? [[name, probeOf(probe)]] : [])),
    ),
    restart: {
      delay: ms(restart.delayMs),
      maxDelay: ms(restart.maxDelayMs),
      resetAfter: ms(restart.resetAfterMs),
    },
    update: updateOf(update),
    stop: { drain: ms(stop.drainMs), signal: stop.signal, grace: ms(stop.graceMs) },
    expose: expose.map(({ port, listen, host, path, tlsSecret }) => ({
      port,
      listen,
      path,
      ...(host === null ? {} : { host }),
      ...(tlsSecret === null ? {} : { tls: { secret: tlsSecret } }),
    })),
    ...(scale === null
      ? {}
      : {
          scale: {
            min: scale.min,
            max: scale.max,
            schedule: scale.schedule,
            ...(scale.cpuPercent === null ? {} : { cpu: `${scale.cpuPercent}%` }),
          },
        }),
  }
  return document as ServiceSource
}
