import { type Clock, successorInstanceId } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Action } from './core/action.ts'
import type { Lineage } from './core/lineage.ts'
import type { EngineWatch } from './engine/engine-watch.ts'
import type { Executor } from './execute.ts'
import type { LineageStore } from './lineage-store.ts'

export interface PreparerDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly executor: Pick<Executor, 'perform' | 'isIdle'>
  readonly store: LineageStore
  readonly watch: EngineWatch
  /** Plans for the lineage, which then may ask for its successor. */
  readonly mark: (key: string) => void
  /** Prepared successors at most; 0: none ever. */
  readonly limit: number
}

const lookMs = 500
/** After the engine has refused one, it is left alone for this long. */
const pauseMs = 60_000

/** Decides when there is time to create containers that nobody needs yet: one at a time, on an idle engine. */
export class Preparer {
  readonly #deps: PreparerDeps
  #active = false
  #notBeforeMs = 0

  constructor(deps: PreparerDeps) {
    this.#deps = deps
  }

  get isAllowed(): boolean {
    const { clock, executor, limit } = this.#deps
    if (this.#active || !executor.isIdle || clock.monotonicMs() < this.#notBeforeMs) return false
    return limit > 0 && this.#count() < limit
  }

  /** Looks for something to prepare from time to time, until `signal` is aborted; never where none is ever made. */
  run(signal: AbortSignal): void {
    if (this.#deps.limit === 0) return
    this.#deps.clock.after(lookMs, () => {
      if (signal.aborted) return
      if (this.isAllowed) this.#proposeNext()
      this.run(signal)
    })
  }

  /** Does not reject; a failure is no failure of the instance. */
  async prepare(lineage: Lineage, action: Extract<Action, { kind: 'prepare' }>): Promise<void> {
    const { clock, executor, logger } = this.#deps
    this.#active = true
    const outcome = await executor.perform(action, lineage, new AbortController().signal)
    this.#active = false
    if (!outcome.ok) {
      logger.info({ instance: action.instance, outcome }, 'no successor could be prepared')
      this.#notBeforeMs = clock.monotonicMs() + pauseMs
    }
    if (this.isAllowed) this.#proposeNext()
  }

  #count(): number {
    const { containers } = this.#deps.watch
    return containers.all().filter((container) => container.state === 'created').length
  }

  #proposeNext(): void {
    const { store, watch, mark } = this.#deps
    for (const lineage of store.all.values()) {
      const { state, healthySinceMs } = lineage.current.observed
      if (state !== 'running' || healthySinceMs === null) continue
      if (watch.containers.ofInstance(successorInstanceId(lineage.current.id)).length > 0) continue
      mark(lineage.key)
    }
  }
}
