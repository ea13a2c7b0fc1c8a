import { type Clock, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Machine } from './machine.ts'

export interface EnforcementDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly machine: Pick<Machine, 'whyUnenforced'> | null
  /** It is not as it was. */
  readonly onNews: () => void
}

const lookMs = 30_000
const againMs = 2000

/** Knows whether the kernel holds zones: what that takes may come and go while the agent runs. */
export class Enforcement {
  readonly #deps: EnforcementDeps
  #reason: string
  #hasHeld: boolean
  #looking: Promise<void> | null = null

  constructor(deps: EnforcementDeps, first: string) {
    this.#deps = deps
    this.#reason = first
    this.#hasHeld = first === ''
  }

  /** Why it does not; empty when it does. */
  get reason(): string {
    return this.#reason
  }

  /**
   * Whether the rules are to be kept: a node that could hold zones once refuses what it cannot guard, one that never
   * could has said so and is given only what may go without.
   */
  get isOn(): boolean {
    return this.#hasHeld
  }

  /** Looks at once; does not reject. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  /** Looks again and again until `signal` is aborted; does not reject. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#deps.machine === null) return
    while (!signal.aborted) {
      await sleep(this.#deps.clock, lookMs, signal).catch(() => {})
      if (!signal.aborted) await this.look()
    }
  }

  async #look(): Promise<void> {
    const { machine, logger, onNews } = this.#deps
    if (machine === null) return
    const reason = await this.#ask(machine)
    if (reason === this.#reason) return
    this.#reason = reason
    this.#hasHeld ||= reason === ''
    if (reason === '') logger.info('zones are held by the kernel from now on')
    else logger.warn({ reason }, 'zones are not held by the kernel any more')
    onNews()
  }

  /** A look that fails once, on a machine that is busy for instance, is no news. */
  async #ask(machine: Pick<Machine, 'whyUnenforced'>): Promise<string> {
    const first = await machine.whyUnenforced()
    if (first === '' || this.#reason !== '') return first
    await sleep(this.#deps.clock, againMs)
    return machine.whyUnenforced()
  }
}
