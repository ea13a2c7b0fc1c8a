import type { ServiceSource } from '@bulkhead/shared'

import { Random } from '../random.ts'
import type { NodePlan, OperatorStep, Step } from './scenario.ts'

type Applied = Extract<Step, { readonly kind: 'apply' }>

const isStepped = (step: Step): step is Applied & { readonly atMs: number } =>
  step.kind === 'apply' &&
  step.source.update?.strategy !== undefined &&
  step.source.exclusive !== true

/** No instance to spare, and everything that is in its way taken away. */
function tight(random: Random, source: ServiceSource): ServiceSource {
  const update = {
    ...source.update,
    maxSurge: 1,
    maxUnavailable: 0,
    onFailure: 'rollback',
  } as const
  const longer =
    update.strategy === 'blue-green'
      ? { keepOld: '20s', promote: random.pick(['manual', 'auto'] as const) }
      : {}
  return {
    ...source,
    replicas: random.integer(3, 5),
    ports: { http: 80 },
    resources: { cpu: 0.1, memory: '32Mi' },
    placement: {},
    dependsOn: [],
    update: { ...update, ...longer },
  }
}

/** What is done to a service while old and new are side by side. */
function interrupt(random: Random, service: string, node: string): OperatorStep {
  return random.pick<OperatorStep>([
    { kind: 'scale', service, replicas: random.integer(1, 2) },
    { kind: 'scale', service, replicas: random.integer(1, 2) },
    { kind: 'undo', service },
    { kind: 'drain', node, deadlineMs: null },
    { kind: 'promote', service, full: true },
  ])
}

/**
 * In a quarter of the seeds what moves traffic by steps has no instance to spare, is upgraded again and again, and
 * meanwhile made sick, scaled, undone and drained.
 */
export function withPressure(
  seed: number,
  nodes: readonly NodePlan[],
  steps: readonly Step[],
  troubleMs: number,
): readonly Step[] {
  const random = Random.of(seed, 'pressure')
  if (random.chance(0.75)) return steps
  const changed = steps.map((step): Step =>
    isStepped(step) ? { ...step, source: tight(random, step.source) } : step,
  )
  const services = [...new Set(changed.filter(isStepped).map(({ source }) => source.name))]
  if (services.length === 0) return steps
  const more: Step[] = []
  for (let atMs = 12_000; atMs < troubleMs; atMs += random.between(10_000, 30_000)) {
    const name = random.pick(services)
    const service = `default/${name}`
    const node = random.pick(nodes).name
    const at = (laterMs: number): { atMs: number } => ({ atMs: Math.floor(atMs + laterMs) })
    const image = `registry.sim/${name}:${random.pick(['good', 'good', 'failing'])}-pressure-${more.length}`
    more.push({ ...at(0), kind: 'upgrade', service, image })
    const laterMs = random.between(3000, 12_000)
    for (const { name: each } of nodes) {
      if (!random.chance(0.5)) continue
      const fails = {
        kind: 'container-fails',
        node: each,
        choice: random.integer(0, 99),
        forMs: 10_000,
      } as const
      more.push({ ...at(laterMs), ...fails })
    }
    more.push({ ...at(laterMs + random.between(2000, 4000)), ...interrupt(random, service, node) })
    more.push({ ...at(laterMs + 12_000), kind: 'scale', service, replicas: random.integer(3, 5) })
    more.push({ ...at(laterMs + 12_000), kind: 'uncordon', node })
  }
  return [...changed, ...more.filter(({ atMs }) => atMs < troubleMs)].toSorted(
    (a, b) => a.atMs - b.atMs,
  )
}
