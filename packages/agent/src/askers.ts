import { type Clock, sleep } from '@bulkhead/shared'

import { isAlive } from './core/container.ts'
import { ownership } from './core/ownership.ts'
import type { Asker } from './core/resolve.ts'
import type { EngineWatch } from './engine/engine-watch.ts'

/** An address that nobody has is looked for on the engine at most this often. */
const refreshMs = 500

/** The instance behind an address of a bridge; null when none of ours is known there. */
export type FindAsker = (address: string) => Promise<Asker | null>

/** Finds out which instance a request of the bridge comes from. */
export class Askers {
  readonly #clock: Clock
  readonly #watch: EngineWatch
  #refreshedMs = -Infinity
  #refreshing: Promise<void> | null = null

  constructor(deps: { readonly clock: Clock; readonly watch: EngineWatch }) {
    this.#clock = deps.clock
    this.#watch = deps.watch
  }

  async find(from: string): Promise<Asker | null> {
    const address = from.replace(/^::ffff:/, '')
    const known = this.#lookUp(address)
    if (known) return known
    await (this.#refreshing ??= this.#refresh())
    return this.#lookUp(address)
  }

  /**
   * One look for all who wait for it: a program that has just begun asks several questions at once. Who comes soon
   * after a look waits for the next one, because its container may have begun since.
   */
  async #refresh(): Promise<void> {
    const waitMs = this.#refreshedMs + refreshMs - this.#clock.monotonicMs()
    if (waitMs > 0) await sleep(this.#clock, waitMs)
    this.#refreshedMs = this.#clock.monotonicMs()
    try {
      await this.#watch.refresh()
    } finally {
      this.#refreshing = null
    }
  }

  #lookUp(address: string): Asker | null {
    for (const container of this.#watch.containers.all()) {
      if (container.address !== address || !isAlive(container)) continue
      const { labels } = container
      const environment = labels[ownership.environment]
      const zone = labels[ownership.zone]
      if (environment !== undefined && zone !== undefined) return { environment, zone }
    }
    return null
  }
}
