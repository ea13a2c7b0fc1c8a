import type { ClusterEvent } from '@bulkhead/shared'

export interface EventQuery {
  readonly subject?: string
  readonly kind?: ClusterEvent['kind']
  /** Only events of later revisions. */
  readonly since?: number
  /** At most so many: the newest ones. */
  readonly limit: number
}

/** The newest events, in memory. What falls out is still in the store for a while. */
export class EventRing {
  readonly #capacity: number
  readonly #events: ClusterEvent[] = []
  /** Where the oldest event is once the ring is full. */
  #head = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  push(event: ClusterEvent): void {
    if (this.#events.length < this.#capacity) {
      this.#events.push(event)
      return
    }
    this.#events[this.#head] = event
    this.#head = (this.#head + 1) % this.#capacity
  }

  /** The matching events, oldest first. */
  find({ subject, kind, since, limit }: EventQuery): ClusterEvent[] {
    const found: ClusterEvent[] = []
    for (let back = 1; back <= this.#events.length && found.length < limit; back++) {
      const index = (this.#head + this.#events.length - back) % this.#events.length
      const event = this.#events[index]
      if (event === undefined || (since !== undefined && event.revision <= since)) break
      if (subject !== undefined && event.subject !== subject) continue
      if (kind !== undefined && event.kind !== kind) continue
      found.push(event)
    }
    return found.toReversed()
  }
}
