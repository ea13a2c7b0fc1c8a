import type { Clock, EndpointTable, Policy, ToAgentMessage } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Directory } from '../core/resolve.ts'
import type { Journal } from '../journal/journal.ts'
import type { Traffic, TrafficConsumer } from './consumer.ts'

type EndpointsMessage = Extract<ToAgentMessage, { kind: 'endpoints' }>

export interface TrafficKeeperDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly journal: Journal
  readonly consumers: readonly TrafficConsumer[]
  /** All consumers go by the tables of this revision. */
  readonly onServed: (revision: number) => void
}

/** A consumer that failed is asked again after this time, or when there is something newer. */
const retryMs = 1000

/**
 * Keeps the last good endpoint tables and rules, which outlive the connection and the process, and sees to it that
 * all consumers go by them: the latest wins, and what was overtaken on the way is left out.
 */
export class TrafficKeeper implements Directory {
  readonly #deps: TrafficKeeperDeps
  #tables: ReadonlyMap<string, EndpointTable> = new Map()
  #policy: Policy | null = null
  #reaches: Readonly<Record<string, readonly string[]>> = {}
  #revision = 0
  #wanted: Traffic | null = null
  #isServing = false
  #isWaiting = false

  constructor(deps: TrafficKeeperDeps) {
    this.#deps = deps
  }

  get tables(): ReadonlyMap<string, EndpointTable> {
    return this.#tables
  }

  get policy(): Policy | null {
    return this.#policy
  }

  /** Of the tables. */
  get revision(): number {
    return this.#revision
  }

  get reaches(): Readonly<Record<string, readonly string[]>> {
    return this.#reaches
  }

  restore(tables: readonly EndpointTable[], policy: Policy | null): void {
    this.#tables = new Map(tables.map((table) => [table.service, table]))
    if (policy) this.#take(policy)
    this.refresh()
  }

  setPolicy(policy: Policy): void {
    this.#take(policy)
    this.#deps.journal.put('policy', policy)
    this.refresh()
  }

  apply(message: EndpointsMessage): void {
    const { journal } = this.#deps
    const named = new Set(message.tables.map((table) => table.service))
    const tables = new Map(this.#tables)
    for (const service of message.full ? this.#tables.keys() : []) {
      if (named.has(service)) continue
      tables.delete(service)
      journal.delete(`endpoints/${service}`)
    }
    for (const table of message.tables) {
      tables.set(table.service, table)
      journal.put(`endpoints/${table.service}`, table)
    }
    this.#tables = tables
    this.#revision = message.revision
    this.refresh()
  }

  /** Has the consumers look again although nothing new has been heard: something of theirs may have changed. */
  refresh(): void {
    this.#wanted = { revision: this.#revision, tables: this.#tables, policy: this.#policy }
    if (this.#deps.consumers.length === 0) this.#served(this.#wanted)
    else if (!this.#isServing) void this.#serve()
  }

  #take(policy: Policy): void {
    this.#policy = policy
    this.#reaches = Object.fromEntries(
      Object.entries(policy.zones).map(([zone, { reaches }]) => [zone, reaches]),
    )
  }

  async #serve(): Promise<void> {
    this.#isServing = true
    while (this.#wanted !== null) {
      const traffic = this.#wanted
      const failed = await this.#offer(traffic)
      if (!failed) this.#served(traffic)
      else if (this.#wanted === traffic) break
    }
    this.#isServing = false
    if (this.#wanted === null || this.#isWaiting) return
    this.#isWaiting = true
    this.#deps.clock.after(retryMs, () => {
      this.#isWaiting = false
      if (this.#wanted !== null && !this.#isServing) void this.#serve()
    })
  }

  #served(traffic: Traffic): void {
    if (this.#wanted === traffic) this.#wanted = null
    if (traffic.revision > 0) this.#deps.onServed(traffic.revision)
  }

  /** True when at least one could not go by it. */
  async #offer(traffic: Traffic): Promise<boolean> {
    const { consumers, logger } = this.#deps
    const results = await Promise.allSettled(consumers.map((consumer) => consumer.serve(traffic)))
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue
      const consumer = consumers[index]?.name
      logger.warn({ err: result.reason as unknown, consumer }, 'the endpoints are not served yet')
    }
    return results.some(({ status }) => status === 'rejected')
  }
}
