import type { ServiceKey } from '@bulkhead/shared'

/** urgent: something happened to it; waiting: there may be room for it now; routine: just to be sure. */
export const urgencies = ['urgent', 'waiting', 'routine'] as const
export type Urgency = (typeof urgencies)[number]

/** Services that need a look: each once, by urgency, those that were added first come first. */
export class WorkQueue {
  readonly #queues: Readonly<Record<Urgency, Set<ServiceKey>>> = {
    urgent: new Set(),
    waiting: new Set(),
    routine: new Set(),
  }

  get size(): number {
    return urgencies.reduce((sum, urgency) => sum + this.#queues[urgency].size, 0)
  }

  add(key: ServiceKey, urgency: Urgency): void {
    const asked = urgencies.indexOf(urgency)
    const queued = urgencies.findIndex((one) => this.#queues[one].has(key))
    if (queued >= 0 && queued <= asked) return
    this.delete(key)
    this.#queues[urgency].add(key)
  }

  delete(key: ServiceKey): void {
    for (const urgency of urgencies) this.#queues[urgency].delete(key)
  }

  /** Takes out one after the other; first one of each lesser urgency, so that none of them is starved. */
  *drain(): Generator<ServiceKey, undefined> {
    const { urgent, waiting, routine } = this.#queues
    for (const queue of [waiting, routine]) {
      for (const key of queue) {
        queue.delete(key)
        yield key
        break
      }
    }
    for (const queue of [urgent, waiting, routine]) {
      for (const key of queue) {
        queue.delete(key)
        yield key
      }
    }
    return undefined
  }
}
