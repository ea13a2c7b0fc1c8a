import { successorInstanceId } from '@bulkhead/shared'

/** A chain of successors longer than this is not believed: the agent's back-off makes it take days. */
const longestChain = 10_000
/** Links that are derived for one message; each costs a hash, while all other agents wait. */
const maxDerived = 50_000
/** Links that are walked along for one message, some 50 ns each: the same chain can be reported of again and again. */
const maxWalked = 1_000_000

interface Chain {
  readonly ids: Set<string>
  last: string
}

/**
 * Whether instances came from others by replacement on the spot. Made for one message: what its reports have in
 * common is derived once, and what goes beyond the limits is not believed.
 */
export class Descent {
  readonly #chains = new Map<string, Chain>()
  #derived = 0
  #walked = 0

  has(id: string, origin: string): boolean {
    const prefix = origin.slice(0, origin.lastIndexOf('-') + 1)
    if (!id.startsWith(prefix) || this.#walked >= maxWalked) return false
    let chain = this.#chains.get(origin)
    if (!chain) this.#chains.set(origin, (chain = { ids: new Set(), last: origin }))
    while (!chain.ids.has(id)) {
      if (chain.ids.size >= longestChain || this.#derived >= maxDerived) return false
      this.#derived += 1
      chain.last = successorInstanceId(chain.last)
      chain.ids.add(chain.last)
    }
    return true
  }

  /** The links from `origin` to its descendant `id`, both left out, in their order. */
  *between(origin: string, id: string): Iterable<string> {
    for (const link of this.#chains.get(origin)?.ids ?? []) {
      this.#walked += 1
      if (link === id) return
      yield link
    }
  }
}
