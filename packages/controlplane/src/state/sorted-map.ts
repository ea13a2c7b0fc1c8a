const maxChunk = 512

/** The first index in `keys` whose key is not less than `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * A map that iterates by key. Looking up costs what it costs in a Map, inserting and deleting are logarithmic
 * plus a bounded move: keys are also kept in sorted chunks. Changing it while iterating is allowed: keys that
 * are there throughout are seen exactly once.
 */
export class SortedMap<V> implements ReadonlyMap<string, V> {
  readonly #values = new Map<string, V>()
  /** Never holds an empty chunk. */
  readonly #chunks: string[][] = []
  /** Counts changes of the set of keys, so that iterators know when to look for their place again. */
  #version = 0

  get size(): number {
    return this.#values.size
  }

  get(key: string): V | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  set(key: string, value: V): void {
    const sizeBefore = this.#values.size
    this.#values.set(key, value)
    if (this.#values.size !== sizeBefore) this.#insert(key)
  }

  delete(key: string): boolean {
    if (!this.#values.delete(key)) return false
    const at = this.#chunkOf(key)
    const chunk = this.#chunks[at] ?? []
    chunk.splice(lowerBound(chunk, key), 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
    this.#version++
    return true
  }

  *keys(): Generator<string, undefined> {
    let chunk = 0
    let index = 0
    let version = this.#version
    for (;;) {
      const key = this.#chunks[chunk]?.[index]
      if (key === undefined) return undefined
      yield key
      if (version !== this.#version) {
        version = this.#version
        chunk = this.#chunkOf(key)
        index = lowerBound(this.#chunks[chunk] ?? [], key)
        if (this.#chunks[chunk]?.[index] === key) index++
      } else index++
      if (index >= (this.#chunks[chunk]?.length ?? 0)) {
        chunk++
        index = 0
      }
    }
  }

  *entries(): Generator<[string, V], undefined> {
    // What `keys` yields is in the map at that moment.
    for (const key of this.keys()) yield [key, this.#values.get(key) as V]
    return undefined
  }

  *values(): Generator<V, undefined> {
    for (const key of this.keys()) yield this.#values.get(key) as V
    return undefined
  }

  [Symbol.iterator](): Generator<[string, V], undefined> {
    return this.entries()
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this)
  }

  /** The chunk that `key` is in or belongs into: the last one that does not begin after it. */
  #chunkOf(key: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#chunks[middle]?.[0] ?? '') <= key) low = middle + 1
      else high = middle
    }
    return Math.max(low - 1, 0)
  }

  #insert(key: string): void {
    this.#version++
    const at = this.#chunkOf(key)
    const chunk = this.#chunks[at]
    if (chunk === undefined) {
      this.#chunks.push([key])
      return
    }
    const index = lowerBound(chunk, key)
    if (chunk.length < maxChunk) chunk.splice(index, 0, key)
    else if (index === chunk.length) this.#chunks.splice(at + 1, 0, [key])
    else {
      const right = chunk.splice(maxChunk / 2)
      this.#chunks.splice(at + 1, 0, right)
      if (index <= chunk.length) chunk.splice(index, 0, key)
      else right.splice(index - chunk.length, 0, key)
    }
  }
}
