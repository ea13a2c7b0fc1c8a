/** Something that will happen. Cancelling twice, or after it happened, does nothing. */
export interface Scheduled {
  readonly atMs: number
  readonly order: number
  readonly label: string
  readonly run: () => void
  cancelled: boolean
}

const before = (a: Scheduled, b: Scheduled): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** Everything that will happen, in order of time and then of scheduling: a binary heap. */
export class Schedule {
  readonly #heap: Scheduled[] = []
  #order = 0
  nowMs = 0

  get size(): number {
    return this.#heap.length
  }

  /** `order`: its place among those of the same time, when it has one already. */
  at(atMs: number, label: string, run: () => void, order = (this.#order += 1)): Scheduled {
    const item = {
      atMs: Math.max(atMs, this.nowMs),
      order,
      label,
      run,
      cancelled: false,
    }
    this.#heap.push(item)
    this.#up(this.#heap.length - 1)
    return item
  }

  after(delayMs: number, label: string, run: () => void): Scheduled {
    return this.at(this.nowMs + delayMs, label, run)
  }

  /** Takes out what happens next, unless that is after `untilMs`, and moves the time on to it. */
  take(untilMs: number): Scheduled | null {
    for (;;) {
      const [first] = this.#heap
      if (first === undefined || first.atMs > untilMs) return null
      this.#removeFirst()
      if (first.cancelled) continue
      this.nowMs = first.atMs
      return first
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#down(0)
  }

  #up(start: number): void {
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapIf(index, parent)) return
      index = parent
    }
  }

  #down(start: number): void {
    let index = start
    for (;;) {
      const left = 2 * index + 1
      const [a, b] = [this.#heap[left], this.#heap[left + 1]]
      if (a === undefined) return
      const child = b !== undefined && before(b, a) ? left + 1 : left
      if (!this.#swapIf(child, index)) return
      index = child
    }
  }

  /** Swaps when the item at `lower` has to be above the one at `upper`. */
  #swapIf(lower: number, upper: number): boolean {
    const [a, b] = [this.#heap[lower], this.#heap[upper]]
    if (a === undefined || b === undefined || !before(a, b)) return false
    this.#heap[lower] = b
    this.#heap[upper] = a
    return true
  }
}
