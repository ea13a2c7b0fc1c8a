import type { ServiceSource } from '@bulkhead/shared'

import type { Random } from '../random.ts'

export const serviceNames = ['web', 'api', 'store'] as const
const zoneOf = { web: 'presentation', api: 'application', store: 'data' } as const
const levels = ['node', 'host', 'rack'] as const

const seconds = (value: number): string => `${value}s`

function healthOf(random: Random, hasPort: boolean): NonNullable<ServiceSource['health']> {
  if (random.chance(0.15)) return {}
  const check = (): object =>
    hasPort && random.chance(0.8)
      ? random.chance(0.5)
        ? { http: { port: 'http', path: '/' } }
        : { tcp: { port: 'http' } }
      : { exec: ['true'] }
  const probe = (failures: number): object => ({
    ...check(),
    interval: random.pick(['500ms', '1s', '2s']),
    timeout: '500ms',
    failures,
  })
  return {
    readiness: probe(random.integer(1, 3)),
    ...(random.chance(0.5) ? { startup: probe(random.integer(10, 30)) } : {}),
    ...(random.chance(0.5) ? { liveness: probe(random.integer(3, 5)) } : {}),
  }
}

function placementOf(random: Random, name: string): NonNullable<ServiceSource['placement']> {
  const separate: { from: string; by: string }[] = []
  if (random.chance(0.35)) separate.push({ from: 'self', by: random.pick(levels) })
  if (random.chance(0.2)) {
    separate.push({
      from: random.pick(serviceNames.filter((other) => other !== name)),
      by: random.pick(levels),
    })
  }
  return {
    separate,
    spread: random.chance(0.5) ? [random.pick(levels)] : [],
    require: random.chance(0.15) ? ['disk=ssd'] : [],
    prefer: random.chance(0.2) ? [{ match: 'disk=ssd', weight: 5 }] : [],
  }
}

function updateOf(random: Random): NonNullable<ServiceSource['update']> {
  const maxSurge = random.integer(0, 2)
  return {
    maxSurge,
    maxUnavailable: random.integer(maxSurge === 0 ? 1 : 0, 2),
    minHealthyTime: seconds(random.integer(0, 3)),
    progressDeadline: seconds(random.integer(20, 60)),
    onFailure: random.chance(0.7) ? 'rollback' : 'pause',
  }
}

/** Old and new side by side, with steps that are short enough for a run. */
export function drawStrategy(random: Random, source: ServiceSource): NonNullable<ServiceSource['update']> {
  const pause = (): string => random.pick(['manual', '0s', '3s', '8s', '12s'])
  const analysis = { minRequests: 20, maxErrorRate: random.pick(['1%', '10%']) }
  if (random.chance(0.5)) {
    const promote = random.chance(0.3) ? 'manual' : 'auto'
    return { strategy: 'blue-green', keepOld: random.pick(['0s', '8s', '15s']), promote, analysis }
  }
  if (source.update?.maxSurge === 0 && (source.replicas ?? 1) < 2) return {}
  const weights = [random.integer(1, 30), random.integer(40, 90)]
  return { strategy: 'canary', steps: weights.map((weight) => ({ weight, pause: pause() })), analysis }
}

/** One of the few services of a run; a change of it is another draw. */
export function drawService(random: Random, name: (typeof serviceNames)[number]): ServiceSource {
  const hasPort = random.chance(0.85)
  const fixedPort = random.chance(0.2)
  return {
    apiVersion: 'bulkhead/v1',
    kind: 'Service',
    name,
    environment: 'default',
    zone: zoneOf[name],
    image: `registry.sim/${name}:good-0`,
    replicas: random.integer(0, 5),
    ports: hasPort ? { http: fixedPort ? { port: 80, host: 8080 } : 80 } : {},
    resources: { cpu: random.pick([0.1, 0.25]), memory: random.pick(['32Mi', '64Mi']) },
    health: healthOf(random, hasPort),
    placement: placementOf(random, name),
    dependsOn: name === 'web' && random.chance(0.3) ? ['api'] : [],
    update: updateOf(random),
    restart: {
      delay: random.pick(['500ms', '1s', '2s']),
      maxDelay: random.pick(['5s', '10s']),
      resetAfter: '30s',
    },
    stop: { drain: seconds(random.integer(0, 3)), grace: seconds(random.integer(1, 4)) },
  }
}

/** A change of some part of a service. */
export function drawChange(random: Random, name: string): Partial<ServiceSource> {
  const choice = random.integer(0, 3)
  if (choice === 0) return { placement: placementOf(random, name) }
  if (choice === 1) return { update: updateOf(random) }
  if (choice === 2) return { env: { VARIANT: String(random.integer(1, 9)) } }
  return { stop: { drain: seconds(random.integer(0, 3)), grace: seconds(random.integer(1, 4)) } }
}
