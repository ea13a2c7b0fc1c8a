import { Random } from '../random.ts'
import type { NodePlan, Step } from './scenario.ts'

/** So long nothing else is asked for, so that services come to rest and may be moved for balance. */
const restsMs = 12_000

/**
 * In a quarter of the seeds machines are emptied and given back, so that instances are moved to them for balance; now
 * and then nothing can be started there at first.
 */
export function drawReturns(
  seed: number,
  nodes: readonly NodePlan[],
  troubleMs: number,
): readonly Step[] {
  const random = Random.of(seed, 'returns')
  const steps: Step[] = []
  if (random.chance(0.75) || nodes.length < 2) return steps
  for (let atMs = 10_000; atMs < troubleMs; atMs += random.between(20_000, 50_000)) {
    const { name: node } = random.pick(nodes)
    const at = (laterMs: number): { atMs: number } => ({ atMs: Math.floor(atMs + laterMs) })
    steps.push({ ...at(0), kind: 'drain', node, deadlineMs: 8000 })
    if (random.chance(0.6)) {
      const kind = random.pick(['engine-full', 'pulls-fail'] as const)
      steps.push({ ...at(restsMs - 500), kind, node, forMs: random.integer(8000, 30_000) })
    }
    steps.push({ ...at(restsMs), kind: 'uncordon', node })
  }
  return steps.filter(({ atMs }) => atMs < troubleMs)
}
