/** An item knows its place in its heap, so that it can be moved or taken out; -1: in none. */
export interface HeapItem {
  position: number
}

/**
 * A binary heap, smallest first. `compare` must be a total order; see swarmkit's indexed node heap.
 */
export class Heap<T extends HeapItem> {
  readonly #compare: (a: T, b: T) => number
  readonly #items: T[] = []

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  get top(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    this.#set(this.#items.length, item)
    this.#up(item)
  }

  /** Fills the empty heap at once, in linear time. */
  fill(items: readonly T[]): void {
    for (const item of items) this.#set(this.#items.length, item)
    for (let index = (items.length >> 1) - 1; index >= 0; index--) {
      const item = this.#items[index]
      if (item) this.#down(item)
    }
  }

  remove(item: T): void {
    const last = this.#items.pop()
    const { position } = item
    item.position = -1
    if (last === undefined || last === item) return
    this.#set(position, last)
    this.update(last)
  }

  /** Puts the item right after its order has changed. */
  update(item: T): void {
    this.#up(item)
    this.#down(item)
  }

  #set(index: number, item: T): void {
    this.#items[index] = item
    item.position = index
  }

  #up(item: T): void {
    while (item.position > 0) {
      const parent = this.#items[(item.position - 1) >> 1]
      if (parent === undefined || this.#compare(parent, item) <= 0) return
      this.#swap(parent, item)
    }
  }

  #down(item: T): void {
    for (;;) {
      const left = this.#items[2 * item.position + 1]
      const right = this.#items[2 * item.position + 2]
      if (left === undefined) return
      const child = right !== undefined && this.#compare(right, left) < 0 ? right : left
      if (this.#compare(item, child) <= 0) return
      this.#swap(item, child)
    }
  }

  #swap(a: T, b: T): void {
    const { position } = a
    this.#set(b.position, a)
    this.#set(position, b)
  }
}
