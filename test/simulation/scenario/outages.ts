import { Random } from '../random.ts'
import type { Scenario, Step } from './scenario.ts'

/** Longer than nodes of a mass are held. */
const longMs = { least: 70_000, most: 110_000 } as const
const shortMs = { least: 3000, most: 15_000 } as const
const afterMs = 5000
/** The control plane has been there for a while. */
const beginsMs = { least: 33_000, most: 45_000 } as const

/**
 * In an eighth of the seeds most machines are cut off at once: all of them for longer than the brake holds, or one of
 * them so long and the others for a moment. A run lasts as long as that takes.
 */
export function withOutages(scenario: Scenario): Scenario {
  const { seed, nodes, steps } = scenario
  const random = Random.of(seed, 'outages')
  if (random.chance(0.875) || nodes.length < 3) return scenario
  const atMs = random.integer(beginsMs.least, beginsMs.most)
  const cut = nodes.map(({ name }) => name).filter(() => random.chance(0.8))
  const isWhole = random.chance(0.5)
  const forMs = random.integer(longMs.least, longMs.most)
  const outages: Step[] = [
    { atMs, kind: 'cut', nodes: isWhole ? cut : cut.slice(0, 1), forMs, direction: 'both' },
    {
      atMs,
      kind: 'cut',
      nodes: isWhole ? [] : cut.slice(1),
      forMs: random.integer(shortMs.least, shortMs.most),
      direction: 'both',
    },
  ]
  // Another fault of a link would mend it.
  const others = steps.filter(({ kind }) => kind !== 'cut')
  return {
    ...scenario,
    steps: [...others, ...outages].toSorted((a, b) => a.atMs - b.atMs),
    troubleMs: Math.max(scenario.troubleMs, atMs + forMs + afterMs),
  }
}
