import type { Random } from '../random.ts'

/** What is in an image, by a word in its name: how the program in it behaves. */
const characters = ['good', 'slow', 'crashing', 'sick', 'stubborn', 'missing', 'flaky', 'failing'] as const
export type Character = (typeof characters)[number]

/** The character of an image such as `registry.sim/web:sick-3`, or of the reference made of it. */
export function characterOf(image: string): Character {
  return characters.find((character) => image.includes(character)) ?? 'good'
}

/** One run of a program in a container. */
export interface Program {
  /** Simulated time from which on it answers its probes. */
  readonly readyAtMs: number
  readonly startedAtMs: number
  /** Simulated time at which it ends by itself; null: never. */
  readonly endsAtMs: number | null
  readonly exitCode: number
  /** Time it takes to end when told to; null: it ends on SIGKILL only. */
  readonly stopMs: number | null
  /** Neither answers nor obeys any more. */
  hangs: boolean
  /** Answers its probes with failure before this time. */
  failsUntilMs: number
}

type Part = (nowMs: number, random: Random) => Partial<Program>

const behaviours: Readonly<Record<Character, Part>> = {
  good: () => ({}),
  // Well by its probes, and every request fails.
  failing: () => ({}),
  missing: () => ({}),
  slow: (nowMs, random) => ({ readyAtMs: nowMs + random.between(3000, 9000) }),
  crashing: (nowMs, random) => ({ endsAtMs: nowMs + random.between(50, 2500) }),
  sick: () => ({ readyAtMs: Infinity }),
  stubborn: () => ({ stopMs: null }),
  flaky: (nowMs, random) => ({
    endsAtMs: random.chance(0.5) ? nowMs + random.between(3000, 40_000) : null,
  }),
}

export function startProgram(character: Character, nowMs: number, random: Random): Program {
  return {
    startedAtMs: nowMs,
    readyAtMs: nowMs + random.between(20, 400),
    endsAtMs: null,
    exitCode: 1,
    stopMs: random.between(5, 300),
    hangs: false,
    failsUntilMs: 0,
    ...behaviours[character](nowMs, random),
  }
}

/** Whether it answers a probe well; null: it does not answer at all. */
export function answers(program: Program, nowMs: number): boolean | null {
  if (program.hangs) return null
  return nowMs >= program.readyAtMs && nowMs >= program.failsUntilMs
}
