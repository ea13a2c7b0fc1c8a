import type { Clock } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Traffic, TrafficConsumer } from '../traffic/consumer.ts'
import type { Bridge, Publication } from './core/bridge.ts'
import { desiredRuleset } from './core/desired.ts'
import { findDrift, lacks } from './core/drift.ts'
import { isSamePolicy, leavingElements } from './core/leaving.ts'
import { type KernelTable, parseTable } from './core/readback.ts'
import type { Ruleset } from './core/ruleset.ts'
import { anewScript, changeScript, leavingLines, replaceScript } from './core/script.ts'
import type { Kernel } from './kernel.ts'

/** What is on the node at the moment. */
export interface Surroundings {
  readonly bridges: readonly Bridge[]
  readonly publications: readonly Publication[]
  /** Addresses of exclusive instances outside the fenced parts of their bridges. */
  readonly fenced: readonly string[]
}

export interface FirewallDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Null: the world is made so that zones hold (a simulated one), or nobody wants it held. */
  readonly kernel: Kernel | null
  /** Whether there is anything to keep: false on a node that cannot enforce and has said so. */
  readonly isOn: () => boolean
  readonly surroundings: () => Surroundings
  /** The rules were not as they were set. */
  readonly onDrift: (reason: string) => void
  /** The kernel cannot be asked, or refuses. */
  readonly onTrouble: () => void
  /** The table was made, and has this place of the lease in it. */
  readonly onInstalled: (leaseSlot: number | null) => void
}

const checkMs = 60_000
const maxReason = 1000

interface Applied {
  readonly ruleset: Ruleset
  readonly structure: KernelTable['structure']
}

/**
 * Holds the zones in the kernel: one table of our own that only drops, in front of whatever the engine's rules let
 * through. Each change is one transaction, so that there is never a moment without rules.
 */
export class Firewall implements TrafficConsumer {
  readonly name = 'firewall'
  readonly #deps: FirewallDeps
  readonly #table: string
  #traffic: Traffic = { revision: 0, tables: new Map(), policy: null }
  /** Up to where the kernel has followed. */
  #followed: Traffic = this.#traffic
  /** Null: unknown; the table is read and made before anything else. */
  #applied: Applied | null = null
  #next: PromiseWithResolvers<void> | null = null
  #isBusy = false
  /** Somebody may have changed the table while it was being changed here. */
  #isCheckDue = false
  /** Connections to these may end; until the next look also what has expired. Null: what an earlier process has left. */
  #leaving: ReadonlySet<string> | null = null

  constructor(deps: FirewallDeps, table: string) {
    this.#deps = deps
    this.#table = table
  }

  serve(traffic: Traffic): Promise<void> {
    this.#traffic = traffic
    return this.sync()
  }

  /** Resolves when the kernel goes by everything that was known when this was called. */
  sync(): Promise<void> {
    if (this.#deps.kernel === null || !this.#deps.isOn()) return Promise.resolve()
    this.#next ??= Promise.withResolvers<void>()
    const { promise } = this.#next
    if (!this.#isBusy) void this.#work(this.#deps.kernel)
    return promise
  }

  /** Takes the table away, for when nothing is left that it is for. Does not reject. */
  async remove(): Promise<void> {
    const { kernel, logger } = this.#deps
    if (kernel === null || this.#applied === null) return
    this.#applied = null
    await kernel
      .run(`delete table ${this.#table}\n`)
      .catch((error: unknown) => logger.warn({ err: error }, 'the table of rules is left'))
  }

  /** Compares from time to time, until `signal` is aborted; the rules stay as they are then. */
  run(signal: AbortSignal): void {
    this.#deps.clock.after(checkMs, () => {
      if (signal.aborted) return
      void this.check()
      this.run(signal)
    })
  }

  /** Reads the table back, and repairs and reports what is not as it was set. Does not reject. */
  async check(): Promise<void> {
    const { kernel, logger } = this.#deps
    if (kernel === null) return
    this.#isCheckDue = this.#isBusy
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      await this.#compare(kernel)
    } catch (error) {
      logger.warn({ err: error }, 'the rules of the kernel cannot be compared')
      this.#deps.onTrouble()
    }
    this.#isBusy = false
    await this.sync().catch(() => {})
  }

  async #compare(kernel: Kernel): Promise<void> {
    const applied = this.#applied
    if (applied === null) return
    const found = await this.#read(kernel)
    const leaving = this.#leaving ?? new Set()
    const drift = findDrift({ ...applied, leaving }, found)
    this.#leaving = new Set([...leaving].filter((element) => found?.leaving.has(element)))
    if (drift.length === 0) return
    this.#applied = null
    this.#deps.logger.warn({ drift }, 'the rules in the kernel were not as they were set')
    await this.#install(kernel, desiredRuleset({ ...this.#traffic, ...this.#deps.surroundings() }))
    this.#tellDrift(drift.join('; '))
  }

  #tellDrift(what: string): void {
    const reason = `the rules in the kernel were not as they were set, and were set again: ${what}`
    this.#deps.onDrift(reason.slice(0, maxReason))
  }

  async #work(kernel: Kernel): Promise<void> {
    this.#isBusy = true
    while (this.#next !== null) {
      const turn = this.#next
      this.#next = null
      await this.#pass(kernel).then(turn.resolve, (error: unknown) => {
        this.#deps.onTrouble()
        turn.reject(error)
      })
    }
    this.#isBusy = false
    if (this.#isCheckDue) void this.check()
  }

  async #pass(kernel: Kernel): Promise<void> {
    const traffic = this.#traffic
    const surroundings = this.#deps.surroundings()
    const wanted = desiredRuleset({ ...traffic, ...surroundings })
    const applied = this.#applied
    if (applied === null) await this.#install(kernel, wanted)
    else await this.#change(kernel, applied, wanted, this.#leave(traffic, surroundings.bridges))
    this.#followed = traffic
  }

  /** What lets connections to endpoints that are being left come to their end. */
  #leave(traffic: Traffic, bridges: readonly Bridge[]): string {
    const table = this.#table
    if (!isSamePolicy(this.#followed, traffic)) {
      this.#leaving = new Set()
      return `flush set ${table} leaving4\nflush set ${table} leaving6\n`
    }
    const leaving = leavingElements(this.#followed, traffic, bridges)
    this.#leaving = new Set([...(this.#leaving ?? []), ...leaving])
    const lines = leavingLines(table, 'add', leaving)
    return lines.map((line) => `${line}\n`).join('')
  }

  async #change(kernel: Kernel, applied: Applied, wanted: Ruleset, leave: string): Promise<void> {
    const script = changeScript(this.#table, applied.ruleset, wanted)
    if (script === '' && leave === '') return
    try {
      await kernel.run(leave + script)
    } catch (error) {
      // Somebody has been at the table: what is there is looked at, and made as it should be.
      this.#deps.logger.warn({ err: error }, 'a change of the rules was refused; they are set anew')
      await this.#install(kernel, wanted)
      this.#tellDrift('a change was refused')
      return
    }
    // A rule that was changed is read back, so that it can be told from one that others have changed.
    const structure = script.includes('flush table')
      ? ((await this.#read(kernel))?.structure ?? new Map<string, string>())
      : applied.structure
    this.#applied = { ruleset: wanted, structure }
  }

  async #install(kernel: Kernel, wanted: Ruleset): Promise<void> {
    this.#applied = null
    const before = await this.#read(kernel)
    let leaseSlot = before?.leaseSlot ?? null
    let after: KernelTable | null
    try {
      after = await this.#replace(kernel, before, wanted)
      // A table that was asleep can be read only now.
      if (lacks(wanted, after)) after = await this.#replace(kernel, after, wanted)
      leaseSlot ??= after?.leaseSlot ?? null
    } catch (error) {
      leaseSlot = null
      this.#deps.logger.warn({ err: error }, 'the table of rules is made anew')
      await kernel.run(anewScript(this.#table, wanted))
      after = await this.#read(kernel)
    }
    this.#leaving = after?.leaving ?? new Set()
    this.#applied = { ruleset: wanted, structure: after?.structure ?? new Map() }
    this.#deps.onInstalled(leaseSlot)
  }

  async #replace(
    kernel: Kernel,
    known: KernelTable | null,
    wanted: Ruleset,
  ): Promise<KernelTable | null> {
    await kernel.run(replaceScript(this.#table, known?.sets ?? {}, wanted))
    const mine = this.#leaving ?? known?.leaving ?? new Set()
    const foreign = [...(known?.leaving ?? [])].filter((element) => !mine.has(element))
    // Those that have a time may be gone by themselves.
    for (const line of leavingLines(this.#table, 'delete', foreign)) {
      await kernel.run(`${line}\n`).catch(() => {})
    }
    return this.#read(kernel)
  }

  async #read(kernel: Kernel): Promise<KernelTable | null> {
    const listing = await kernel.list(this.#table)
    return listing === null ? null : parseTable(listing)
  }
}
