import type { Clock } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Traffic, TrafficConsumer } from './consumer.ts'

/** What is to be gone by, and which it is of all that there have been: revisions may begin anew. */
export interface Offer {
  readonly turn: number
  readonly traffic: Traffic
}

export interface LaneDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly consumer: TrafficConsumer
  /** An attempt is over; what the consumer goes by is in `served`. */
  readonly onSettled: (offer: Offer) => void
}

/** A consumer that failed is asked again after this time, or when there is something newer. */
const retryMs = 1000

/** Brings one consumer up to the latest: one attempt at a time, and what was overtaken meanwhile is left out. */
export class Lane {
  readonly #deps: LaneDeps
  #wanted: Offer | null = null
  #served: Offer | null = null
  #isServing = false
  #isWaiting = false

  constructor(deps: LaneDeps) {
    this.#deps = deps
  }

  /** What the consumer goes by; null: nothing yet. */
  get served(): Offer | null {
    return this.#served
  }

  take(offer: Offer): void {
    this.#wanted = offer
    if (!this.#isServing) void this.#serve()
  }

  async #serve(): Promise<void> {
    this.#isServing = true
    while (this.#wanted !== null) {
      const offer = this.#wanted
      const isDone = await this.#attempt(offer.traffic)
      if (isDone) this.#served = offer
      if (isDone && this.#wanted === offer) this.#wanted = null
      const isStuck = this.#wanted === offer
      this.#deps.onSettled(offer)
      if (isStuck) break
    }
    this.#isServing = false
    if (this.#wanted !== null) this.#tryLater()
  }

  async #attempt(traffic: Traffic): Promise<boolean> {
    const { consumer, logger } = this.#deps
    try {
      await consumer.serve(traffic)
      return true
    } catch (error) {
      logger.warn({ err: error, consumer: consumer.name }, 'the endpoints are not served yet')
      return false
    }
  }

  #tryLater(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#deps.clock.after(retryMs, () => {
      this.#isWaiting = false
      if (this.#wanted !== null && !this.#isServing) void this.#serve()
    })
  }
}
