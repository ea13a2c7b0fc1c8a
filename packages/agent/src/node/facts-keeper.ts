import { canonicalJson, type Clock, sleep } from '@bulkhead/shared'

import type { Engine } from '../engine/engine.ts'
import type { Journal } from '../journal/journal.ts'
import { type EngineReport, unknownEngine } from './facts.ts'

export interface FactsKeeperDeps {
  readonly clock: Clock
  readonly engine: Engine
  readonly journal: Journal
  /** The engine is not what it was when it was last asked. */
  readonly onNews: () => void
}

const retryMs = 2000

/** Knows what the engine is, which decides what fits on the node; until it says so, its last answer has to do. */
export class FactsKeeper {
  readonly #deps: FactsKeeperDeps
  #report: EngineReport = unknownEngine

  constructor(deps: FactsKeeperDeps) {
    this.#deps = deps
  }

  get report(): EngineReport {
    return this.#report
  }

  restore(report: EngineReport | null): void {
    this.#report = report ?? unknownEngine
  }

  /** Asks until it is answered, or `signal` is aborted; does not reject. */
  async learn(signal: AbortSignal): Promise<void> {
    const { clock, engine } = this.#deps
    while (!signal.aborted) {
      const report = await engine.facts().catch(() => null)
      if (report !== null) return this.#take(report)
      await sleep(clock, retryMs, signal).catch(() => {})
    }
  }

  #take(report: EngineReport): void {
    const isNews = canonicalJson(report) !== canonicalJson(this.#report)
    this.#report = report
    this.#deps.journal.put('engine', report)
    if (isNews) this.#deps.onNews()
  }
}
