import type { Clock, Timer } from '@bulkhead/shared'

interface Pending {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Time that passes only when a test says so. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000
  #order = 0
  readonly #pending = new Set<Pending>()

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): Timer {
    this.#order += 1
    const pending = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  /** Lets time pass, timer by timer, with everything that each sets off done before the next. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs
    await settled()
    for (let next = this.#next(); next && next.atMs <= untilMs; next = this.#next()) {
      this.#pending.delete(next)
      this.#nowMs = next.atMs
      next.run()
      await settled()
    }
    this.#nowMs = untilMs
    await settled()
  }

  #next(): Pending | undefined {
    return [...this.#pending].toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
  }
}

/** Lets promises that depend on nothing outside come to rest. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
