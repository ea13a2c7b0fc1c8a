import type { Logger } from '../logger.ts'
import type { Store } from '../store/store.ts'

export interface EventPrunerDeps {
  readonly store: Pick<Store, 'pruneEvents'>
  readonly logger: Logger
  /** How many events the store keeps; up to a tenth more are there between two prunings. */
  readonly keep: number
}

/** Drops old events from the store beside the writes, one pruning at a time. */
export class EventPruner {
  readonly #deps: EventPrunerDeps
  #sincePruning: number
  #pruning: Promise<void> | null = null

  constructor(deps: EventPrunerDeps) {
    this.#deps = deps
    // What earlier processes left unpruned was not counted, so the first event makes the store look.
    this.#sincePruning = deps.keep
  }

  added(events: number): void {
    this.#sincePruning += events
    if (events === 0 || this.#pruning || this.#sincePruning < this.#deps.keep / 10) return
    this.#sincePruning = 0
    this.#pruning = this.#prune()
  }

  /** Resolves when no pruning is going on. */
  async idle(): Promise<void> {
    await this.#pruning
  }

  async #prune(): Promise<void> {
    const { store, logger, keep } = this.#deps
    try {
      await store.pruneEvents(keep)
    } catch (error) {
      logger.warn({ err: error }, 'old events could not be dropped')
    } finally {
      this.#pruning = null
    }
  }
}
