import { Random } from '../random.ts'
import type { NodePlan, Step } from './scenario.ts'

/**
 * In a third of the seeds some engines take long to list their containers; streams of events break, so that lists are
 * asked for, and programs end while one is on its way.
 */
export function drawSlowLists(
  seed: number,
  nodes: readonly NodePlan[],
  troubleMs: number,
): readonly Step[] {
  const random = Random.of(seed, 'slow lists')
  const steps: Step[] = []
  if (random.chance(0.67)) return steps
  const slow = nodes.filter(() => random.chance(0.5))
  for (const { name: node } of slow) {
    for (let atMs = 8000; atMs < troubleMs; atMs += random.between(10_000, 60_000)) {
      const takesMs = random.pick([300, 1000, 3000])
      const at = (laterMs: number): { atMs: number } => ({ atMs: Math.floor(atMs + laterMs) })
      steps.push({
        ...at(0),
        kind: 'lists-slow',
        node,
        forMs: random.integer(5000, 40_000),
        takesMs,
      })
      if (random.chance(0.7)) steps.push({ ...at(50), kind: 'events-break', node })
      const choice = random.integer(0, 99)
      const laterMs = random.between(100, takesMs + 400)
      if (random.chance(0.7))
        steps.push({ ...at(laterMs), kind: 'container-crash', node, choice, oom: false })
    }
  }
  return steps.filter(({ atMs }) => atMs < troubleMs)
}
