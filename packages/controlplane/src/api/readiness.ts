import { BulkheadError, type Clock } from '@bulkhead/shared'

import type { State } from '../state/state.ts'

/** However often somebody asks, the disk is tried once in this time. */
const probeEveryMs = 1000

/**
 * Whether the control plane can do its work. After a failed commit it tries the store itself: who is not ready is
 * sent no writes, so that waiting for one that succeeds could last for ever.
 */
export class Readiness {
  readonly #state: State
  readonly #clock: Clock
  #probing: Promise<void> | null = null
  #probedAtMs = Number.NEGATIVE_INFINITY

  constructor({ state, clock }: { readonly state: State; readonly clock: Clock }) {
    this.#state = state
    this.#clock = clock
  }

  /** Throws BulkheadError `store-failed` while the store takes no writes. */
  async check(): Promise<void> {
    await this.#state.settled().catch(() => undefined)
    if (this.#state.refusal) await this.#probe()
    const { refusal } = this.#state
    if (refusal)
      throw new BulkheadError('store-failed', `not ready: ${refusal.message}`, refusal.advice)
  }

  #probe(): Promise<void> {
    if (this.#probing) return this.#probing
    if (this.#clock.monotonicMs() - this.#probedAtMs < probeEveryMs) return Promise.resolve()
    this.#probedAtMs = this.#clock.monotonicMs()
    this.#probing = this.#state
      .write({ actor: 'controlplane' }, (tx) =>
        tx.event({
          kind: 'Cluster',
          subject: tx.cluster,
          action: 'store-recovered',
          reason: 'the store takes writes again',
        }),
      )
      // Why it failed is kept by the state.
      .catch(() => undefined)
      .finally(() => {
        this.#probing = null
      })
    return this.#probing
  }
}
