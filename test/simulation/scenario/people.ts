import { Random } from '../random.ts'
import type { Step } from './scenario.ts'

/** Somebody who watches a rollout acts on it within this time. */
const actsWithinMs = { least: 500, most: 12_000 } as const

/**
 * In half of the seeds people stay with what they have begun: they hold a rollout up and let it go on, promote a step,
 * or go back from what does not work.
 */
export function drawPeople(
  seed: number,
  steps: readonly Step[],
  troubleMs: number,
): readonly Step[] {
  const random = Random.of(seed, 'people')
  if (random.chance(0.5)) return []
  const more: Step[] = []
  const later = (atMs: number): number =>
    Math.floor(atMs + random.between(actsWithinMs.least, actsWithinMs.most))
  for (const step of steps) {
    if (step.kind !== 'upgrade') continue
    const { service } = step
    const choice = random.integer(0, 9)
    const atMs = later(step.atMs)
    if (choice < 3) {
      more.push({ atMs, kind: 'pause', service }, { atMs: later(atMs), kind: 'resume', service })
    } else if (choice < 7) {
      more.push({ atMs, kind: 'promote', service, full: false })
      more.push({ atMs: later(atMs), kind: 'promote', service, full: random.chance(0.3) })
    } else if (choice < 8) {
      more.push({ atMs, kind: 'undo', service })
    }
  }
  return more.filter(({ atMs }) => atMs < troubleMs)
}
