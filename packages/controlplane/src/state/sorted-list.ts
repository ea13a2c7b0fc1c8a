/** Negative, zero or positive like Array's comparators; zero only for items with the same identity. */
export type Compare<T> = (a: T, b: T) => number

/**
 * A small sorted array that is handed out without copying: who has read it keeps what was read, the next change
 * goes to a copy.
 */
export class SortedList<T> {
  readonly #compare: Compare<T>
  #items: T[] = []
  #handedOut = false

  constructor(compare: Compare<T>) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  read(): readonly T[] {
    this.#handedOut = true
    return this.#items
  }

  find(probe: T): T | undefined {
    const index = this.#indexOf(probe)
    const found = this.#items[index]
    return found !== undefined && this.#compare(found, probe) === 0 ? found : undefined
  }

  /** Inserts the item, or puts it in the place of the one that compares equal. */
  put(item: T): void {
    const index = this.#indexOf(item)
    const found = this.#items[index]
    const replaces = found !== undefined && this.#compare(found, item) === 0
    this.#own()
    this.#items.splice(index, replaces ? 1 : 0, item)
  }

  remove(item: T): void {
    const index = this.#indexOf(item)
    const found = this.#items[index]
    if (found === undefined || this.#compare(found, item) !== 0) return
    this.#own()
    this.#items.splice(index, 1)
  }

  #own(): void {
    if (!this.#handedOut) return
    this.#items = [...this.#items]
    this.#handedOut = false
  }

  #indexOf(item: T): number {
    let low = 0
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(this.#items[middle] as T, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

export const byText = (a: string, b: string): number => {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Sorted lists under keys; a list that becomes empty is dropped. */
export class SortedLists<T> {
  readonly #compare: Compare<T>
  readonly #lists = new Map<string, SortedList<T>>()

  constructor(compare: Compare<T>) {
    this.#compare = compare
  }

  read(key: string): readonly T[] {
    return this.#lists.get(key)?.read() ?? []
  }

  find(key: string, probe: T): T | undefined {
    return this.#lists.get(key)?.find(probe)
  }

  put(key: string, item: T): void {
    let list = this.#lists.get(key)
    if (list === undefined) {
      list = new SortedList(this.#compare)
      this.#lists.set(key, list)
    }
    list.put(item)
  }

  remove(key: string, item: T): void {
    const list = this.#lists.get(key)
    if (list === undefined) return
    list.remove(item)
    if (list.size === 0) this.#lists.delete(key)
  }
}
