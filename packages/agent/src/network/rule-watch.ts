import { type Clock, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { exponential } from '../core/backoff.ts'
import type { Kernel } from './kernel.ts'

export interface RuleWatchDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly kernel: Kernel
  /** Looks at the rules, and repairs them. Does not reject. */
  readonly check: () => Promise<void>
}

/** Whoever changes rules by hand changes several in a row; and a table is not looked at more often than this. */
const gatherMs = 100
const restMs = 1000
const againFirstMs = 1000
const againMaxMs = 60_000

/** Has the rules looked at as soon as somebody else has changed them. */
export class RuleWatch {
  readonly #deps: RuleWatchDeps
  readonly #table: string
  #checkedAtMs = Number.NEGATIVE_INFINITY
  #isDue = false

  constructor(deps: RuleWatchDeps, table: string) {
    this.#deps = deps
    this.#table = table
  }

  /** Until `signal` is aborted; does not reject. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, kernel } = this.#deps
    for (let failures = 0; !signal.aborted; failures++) {
      const beganAtMs = clock.monotonicMs()
      const following = kernel.follow(this.#table, () => this.#request(signal), signal)
      // What was changed while nobody listened.
      this.#request(signal)
      await following.catch((error: unknown) =>
        logger.warn({ err: error }, 'following the rules failed'),
      )
      if (signal.aborted) return
      if (clock.monotonicMs() - beganAtMs > againMaxMs) failures = 0
      const waitMs = exponential(failures + 1, againFirstMs, againMaxMs)
      logger.info({ waitMs }, 'changes of the rules are not told at the moment')
      await sleep(clock, waitMs, signal).catch(() => {})
    }
  }

  #request(signal: AbortSignal): void {
    if (this.#isDue) return
    this.#isDue = true
    const { clock, check } = this.#deps
    const restsUntilMs = this.#checkedAtMs + restMs
    clock.after(Math.max(gatherMs, restsUntilMs - clock.monotonicMs()), () => {
      this.#isDue = false
      this.#checkedAtMs = clock.monotonicMs()
      if (!signal.aborted) void check()
    })
  }
}
