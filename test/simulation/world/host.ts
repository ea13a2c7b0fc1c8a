import type { Random } from '../random.ts'
import type { Schedule } from './schedule.ts'

/** Wall-clock time at which every run begins. */
const epochMs = Date.UTC(2027, 0, 1)

/** A machine: its clocks, its speed, and whether it is there at all. */
export class Host {
  readonly name: string
  readonly random: Random
  readonly #schedule: Schedule
  up = true
  /** How far its wall clock is ahead. */
  skewMs = 0
  /** Where its monotonic clock began. */
  bootedAtMs: number
  /** Everything on it takes that many times longer. */
  slowness = 1
  /** Nothing on it runs before this time: a suspended machine. */
  suspendedUntilMs = 0

  constructor(name: string, schedule: Schedule, random: Random) {
    this.name = name
    this.#schedule = schedule
    this.random = random
    this.bootedAtMs = -random.integer(1000, 10_000_000)
  }

  nowMs(): number {
    return Math.floor(epochMs + this.#schedule.nowMs + this.skewMs)
  }

  monotonicMs(): number {
    return this.#schedule.nowMs - this.bootedAtMs
  }

  /** A time in the given range, longer when the machine is slow. */
  takesMs(minMs: number, maxMs: number): number {
    return this.random.between(minMs, maxMs) * this.slowness
  }
}
