import { Random } from '../random.ts'
import type { NodePlan, Step } from './scenario.ts'

/** Longer than nodes of a mass are held. */
const longMs = { least: 70_000, most: 110_000 } as const
const shortMs = { least: 3000, most: 15_000 } as const

/**
 * In a tenth of the seeds most machines are cut off at once: all of them for longer than the brake holds, or some of
 * them so long and the others for a moment.
 */
export function drawOutages(
  seed: number,
  nodes: readonly NodePlan[],
  troubleMs: number,
): readonly Step[] {
  const random = Random.of(seed, 'outages')
  if (random.chance(0.9) || nodes.length < 3) return []
  const atMs = random.integer(12_000, 25_000)
  const cut = nodes.map(({ name }) => name).filter(() => random.chance(0.8))
  const isWhole = random.chance(0.5)
  const away = isWhole ? cut : cut.slice(0, 1)
  const back = isWhole ? [] : cut.slice(1)
  const steps: Step[] = [
    {
      atMs,
      kind: 'cut',
      nodes: away,
      forMs: random.integer(longMs.least, longMs.most),
      direction: 'both',
    },
    {
      atMs,
      kind: 'cut',
      nodes: back,
      forMs: random.integer(shortMs.least, shortMs.most),
      direction: 'both',
    },
  ]
  return steps.filter((step) => step.atMs < troubleMs)
}
