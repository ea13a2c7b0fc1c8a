import type { Random } from '../random.ts'
import type { FaultStep, NodePlan } from './scenario.ts'

/** Clocks are set by more than any deadline is long. */
const worstJumpMs = 300_000

type Draw = (random: Random, node: NodePlan, all: readonly NodePlan[]) => FaultStep

const short = (random: Random): number => random.integer(50, 3000)
const middle = (random: Random): number => random.integer(500, 12_000)
const long = (random: Random): number => random.integer(2000, 45_000)

function someOf(random: Random, all: readonly NodePlan[]): string[] {
  const share = random.pick([0.3, 0.5, 1])
  return all.filter(() => random.chance(share)).map(({ name }) => name)
}

const draws: readonly (readonly [weight: number, draw: Draw])[] = [
  [
    6,
    (random) => ({
      kind: 'control-plane-crash',
      forMs: random.chance(0.6) ? short(random) : long(random),
    }),
  ],
  [2, (random) => ({ kind: 'control-plane-suspended', forMs: middle(random) })],
  [
    2,
    (random) => ({
      kind: 'control-plane-slow',
      forMs: long(random),
      factor: random.integer(5, 100),
    }),
  ],
  [
    4,
    (random) => ({
      kind: 'store-full',
      forMs: random.chance(0.6) ? short(random) : middle(random),
    }),
  ],
  [
    3,
    (random) => ({
      kind: 'store-slow',
      forMs: long(random),
      commitMs: random.pick([50, 500, 5000]),
    }),
  ],
  [
    2,
    (random) => ({ kind: 'control-plane-clock', byMs: random.integer(-worstJumpMs, worstJumpMs) }),
  ],
  [
    8,
    (random, { name }) => ({
      kind: 'agent-crash',
      node: name,
      forMs: random.chance(0.6) ? short(random) : long(random),
    }),
  ],
  [3, (_, { name }) => ({ kind: 'agent-restart', node: name })],
  [2, (random, { name }) => ({ kind: 'journal-lost', node: name, forMs: short(random) })],
  [
    6,
    (random, { name }) => ({
      kind: 'engine-down',
      node: name,
      forMs: middle(random),
      containersDie: random.chance(0.5),
    }),
  ],
  [3, (random, { name }) => ({ kind: 'containers-lost', node: name, forMs: short(random) })],
  [5, (random, { host }) => ({ kind: 'power-off', host, forMs: long(random) })],
  [3, (random, { name }) => ({ kind: 'suspended', node: name, forMs: middle(random) })],
  [
    3,
    (random, { name }) => ({
      kind: 'slow',
      node: name,
      forMs: long(random),
      factor: random.integer(3, 40),
    }),
  ],
  [
    8,
    (random, { name }, all) => ({
      kind: 'cut',
      // When many fall silent at once, the brake holds for longer than most cuts last.
      nodes: random.chance(0.5) ? [name] : someOf(random, all),
      forMs: random.chance(0.5) ? middle(random) : long(random),
      direction: random.pick(['both', 'both', 'up', 'down']),
    }),
  ],
  [
    5,
    (random, _, all) => ({
      kind: 'break',
      nodes: someOf(random, all),
      ends: random.pick(['both', 'client', 'server']),
    }),
  ],
  [
    3,
    (random, { name }) => ({
      kind: 'slow-network',
      node: name,
      forMs: long(random),
      factor: random.integer(10, 400),
    }),
  ],
  [4, (_, { name }) => ({ kind: 'events-break', node: name })],
  [
    3,
    (random, { name }) => ({
      kind: 'clock',
      node: name,
      byMs: random.integer(-worstJumpMs, worstJumpMs),
    }),
  ],
  [3, (random, { name }) => ({ kind: 'disk-full', node: name, forMs: long(random) })],
  [2, (random, { name }) => ({ kind: 'engine-full', node: name, forMs: middle(random) })],
  [
    3,
    (random, { name }) => ({
      kind: random.pick(['pulls-fail', 'pulls-stall']),
      node: name,
      forMs: middle(random),
    }),
  ],
  [
    10,
    (random, { name }) => ({
      kind: 'container-crash',
      node: name,
      choice: random.integer(0, 99),
      oom: random.chance(0.2),
    }),
  ],
  [
    5,
    (random, { name }) => ({
      kind: random.pick(['container-hang', 'container-vanish']),
      node: name,
      choice: random.integer(0, 99),
    }),
  ],
  [
    4,
    (random, { name }) => ({
      kind: 'container-fails',
      node: name,
      choice: random.integer(0, 99),
      forMs: middle(random),
    }),
  ],
]

export type FaultSource = (random: Random, all: readonly NodePlan[]) => FaultStep

/** Each run has its own mixture of kinds, and lacks some: what is rare in one is frequent in another. */
export function mixFaults(random: Random): FaultSource {
  const mixed = draws.map(
    ([weight, draw]) => [random.chance(0.5) ? weight * random.pick([0.5, 1, 4]) : 0, draw] as const,
  )
  const total = mixed.reduce((sum, [weight]) => sum + weight, 0)
  return (random, all) => {
    let left = random.next() * total
    for (const [weight, draw] of mixed) {
      left -= weight
      if (left < 0) return draw(random, random.pick(all), all)
    }
    return { kind: 'control-plane-crash', forMs: 1000 }
  }
}
