import { type Clock, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { noSlots, onAnswered, onSent, type Slots, takeFree } from './core/slots.ts'
import type { Kernel } from './kernel.ts'

export interface FenceDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Null: the lease is the agent's alone. */
  readonly kernel: Kernel | null
  /** Whether there is anything exclusive on this node. */
  readonly isNeeded: () => boolean
  /** Has a heartbeat sent at once. */
  readonly beat: () => void
}

/** What is exclusive and starts when nothing was before waits for its network at most this long. */
const readyMs = 2000

/**
 * The lease of exclusive instances in the kernel: without a heartbeat that was answered within a lease, addresses in
 * the fenced parts of bridges neither send nor get anything, whether there is an agent or not.
 */
export class Fence {
  readonly #deps: FenceDeps
  readonly #table: string
  #slots: Slots = noSlots
  /** What the kernel goes by. */
  #written: number | null = null
  #leaseMs = 0
  /** Nothing is touched before it is known what an earlier process has left. */
  #isInstalled = false
  #isBusy = false
  #isDue = false
  #activated = Promise.withResolvers<void>()

  constructor(deps: FenceDeps, table: string) {
    this.#deps = deps
    this.#table = table
  }

  /** The table is there, and goes by that place. */
  installed(slot: number | null): void {
    this.#isInstalled = true
    this.#written = slot
    this.#slots = { ...noSlots, active: slot }
    this.#request()
  }

  welcomed(leaseMs: number): void {
    if (leaseMs !== this.#leaseMs) this.#slots = { ...this.#slots, armed: null }
    this.#leaseMs = leaseMs
  }

  /** Nothing that is on its way will be answered. */
  disconnected(): void {
    this.#slots = { ...this.#slots, used: [] }
  }

  /** A heartbeat that may renew the lease is about to be sent. */
  sent(sequence: number): void {
    const nowMs = this.#deps.clock.monotonicMs()
    this.#slots = onSent(this.#slots, sequence, nowMs, this.#leaseMs / 3)
    this.#request()
  }

  answered(sequence: number): void {
    this.#slots = onAnswered(this.#slots, sequence)
    this.#request()
  }

  /** Resolves when the kernel has a lease for what is about to start; after a while even if it has none. */
  async ready(): Promise<void> {
    const { kernel, clock, beat } = this.#deps
    if (kernel === null || !this.#isInstalled || this.#written !== null) return
    this.#request()
    const controller = new AbortController()
    const late = sleep(clock, readyMs, controller.signal).catch(() => {})
    // The first one arms a place unless that has been done, the second one stands for it.
    beat()
    await Promise.race([this.#activated.promise, late])
    controller.abort()
  }

  #request(): void {
    const { kernel } = this.#deps
    if (kernel === null || !this.#isInstalled || this.#leaseMs === 0) return
    this.#isDue = true
    if (!this.#isBusy) void this.#work(kernel)
  }

  async #work(kernel: Kernel): Promise<void> {
    this.#isBusy = true
    while (this.#isDue) {
      this.#isDue = false
      await this.#write(kernel).catch((error: unknown) => {
        this.#written = null
        this.#deps.logger.warn({ err: error }, 'the lease cannot be written into the kernel')
      })
    }
    this.#isBusy = false
  }

  async #write(kernel: Kernel): Promise<void> {
    const { active } = this.#slots
    const activation = active === null || active === this.#written ? [] : this.#activation(active)
    const taken = this.#slots.armed === null && this.#deps.isNeeded() ? takeFree(this.#slots) : null
    if (taken) this.#slots = taken.rest
    const arming = taken ? this.#arming(taken.slot) : []
    const lines = [...activation, ...arming]
    if (lines.length === 0) return
    await kernel.run(`${lines.join('\n')}\n`)
    this.#written = active
    if (taken) this.#noteArmed(taken.slot)
    if (activation.length > 0) this.#noteActive()
  }

  #noteArmed(slot: number): void {
    const isFirst = this.#slots.active === null && this.#slots.used.length === 0
    this.#slots = { ...this.#slots, armed: { slot, atMs: this.#deps.clock.monotonicMs() } }
    // Whoever waits for the first lease waits for an answer to a heartbeat that is sent from now on.
    if (isFirst) this.#deps.beat()
  }

  #noteActive(): void {
    this.#activated.resolve()
    this.#activated = Promise.withResolvers<void>()
  }

  #activation(slot: number): readonly string[] {
    const target = `goto lease${slot}`
    return [
      `flush map ${this.#table} lease`,
      `add element ${this.#table} lease { ipv4 : ${target}, ipv6 : ${target} }`,
    ]
  }

  /** An element that is there keeps its time: it is taken out and put in, in one transaction. */
  #arming(slot: number): readonly string[] {
    const set = `${this.#table} beat${slot}`
    const timeout = `timeout ${this.#leaseMs}ms`
    return [`flush set ${set}`, `add element ${set} { ipv4 ${timeout}, ipv6 ${timeout} }`]
  }
}
