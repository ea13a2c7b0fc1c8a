import type { ServiceKey } from '@bulkhead/shared'

/**
 * wanted: somebody changed what is wanted of it; observed: something happened to it; follow-up: its own last steps may
 * call for others, or room has been made that it waits for; routine: just to be sure.
 */
export const urgencies = ['wanted', 'observed', 'follow-up', 'routine'] as const
export type Urgency = (typeof urgencies)[number]

/** Services that need a look: each once, by urgency, those that were added first come first. */
export class WorkQueue {
  readonly #queues: Readonly<Record<Urgency, Set<ServiceKey>>> = {
    wanted: new Set(),
    observed: new Set(),
    'follow-up': new Set(),
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

  /**
   * Takes out one after the other: what is wanted first; then one of each of the others, so that none of them is
   * starved; then the rest by urgency.
   */
  *drain(): Generator<ServiceKey, undefined> {
    const { wanted, ...others } = this.#queues
    yield* takeFrom(wanted)
    for (const queue of Object.values(others)) {
      for (const key of takeFrom(queue)) {
        yield key
        break
      }
    }
    for (const queue of Object.values(others)) yield* takeFrom(queue)
    return undefined
  }
}

function* takeFrom(queue: Set<ServiceKey>): Generator<ServiceKey, undefined> {
  for (const key of queue) {
    queue.delete(key)
    yield key
  }
  return undefined
}
