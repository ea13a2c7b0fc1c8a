import type { Clock, EndpointTable, Policy, ToAgentMessage } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Directory } from '../core/resolve.ts'
import type { Journal } from '../journal/journal.ts'
import type { Traffic, TrafficConsumer } from './consumer.ts'
import { Lane, type Offer } from './lane.ts'

type EndpointsMessage = Extract<ToAgentMessage, { kind: 'endpoints' }>

export interface TrafficKeeperDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly journal: Journal
  /** What lets traffic through, before anything is sent; null: nothing has to. */
  readonly gate: TrafficConsumer | null
  readonly consumers: readonly TrafficConsumer[]
  /** What others hear from of where services are: it follows the gate. */
  readonly names: TrafficConsumer | null
  /** All consumers go by the tables of this revision. */
  readonly onServed: (revision: number) => void
}

/**
 * Keeps the last good endpoint tables and rules, which outlive the connection and the process, and sees to it that
 * all consumers go by them. None waits for another, so that what is withdrawn is withdrawn from the kernel at once,
 * even while a proxy hangs. Names alone follow the gate: nobody hears of a place that it is still shut to.
 */
export class TrafficKeeper implements Directory {
  readonly #deps: TrafficKeeperDeps
  readonly #gate: Lane | null
  readonly #names: Lane | null
  readonly #others: readonly Lane[]
  /** The latest. */
  #traffic: Traffic = { revision: 0, tables: new Map(), policy: null }
  #turn = 0
  /** What is told of where services are. */
  #shown: Traffic = this.#traffic
  #shownTurn = 0
  #reaches: Readonly<Record<string, readonly string[]>> = {}
  /** The turn that has been told of. */
  #acknowledged = 0

  constructor(deps: TrafficKeeperDeps) {
    this.#deps = deps
    const { gate, names } = deps
    this.#gate = gate === null ? null : this.#makeLane(gate, (offer) => this.#show(offer))
    this.#names = names === null ? null : this.#makeLane(names, () => {})
    this.#others = deps.consumers.map((consumer) => this.#makeLane(consumer, () => {}))
  }

  get #lanes(): readonly Lane[] {
    return [this.#gate, this.#names, ...this.#others].filter((lane) => lane !== null)
  }

  get tables(): ReadonlyMap<string, EndpointTable> {
    return this.#shown.tables
  }

  get reaches(): Readonly<Record<string, readonly string[]>> {
    return this.#reaches
  }

  /** What an earlier process went by, and the kernel still does. */
  restore(tables: readonly EndpointTable[], policy: Policy | null): void {
    const byService = new Map(tables.map((table) => [table.service, table]))
    this.#traffic = { revision: 0, tables: byService, policy }
    this.#showTables(this.#traffic)
    this.refresh()
  }

  setPolicy(policy: Policy): void {
    this.#deps.journal.put('policy', policy)
    this.#take({ ...this.#traffic, policy })
  }

  apply(message: EndpointsMessage): void {
    const { journal } = this.#deps
    const named = new Set(message.tables.map((table) => table.service))
    const tables = new Map(this.#traffic.tables)
    for (const service of message.full ? this.#traffic.tables.keys() : []) {
      if (named.has(service)) continue
      tables.delete(service)
      journal.delete(`endpoints/${service}`)
    }
    for (const table of message.tables) {
      tables.set(table.service, table)
      journal.put(`endpoints/${table.service}`, table)
    }
    this.#take({ ...this.#traffic, revision: message.revision, tables })
  }

  /** Has the consumers look again although nothing new has been heard: something of theirs may have changed. */
  refresh(): void {
    this.#take({ ...this.#traffic })
  }

  #makeLane(consumer: TrafficConsumer, onTried: (offer: Offer) => void): Lane {
    const onSettled = (offer: Offer): void => {
      onTried(offer)
      this.#acknowledge()
    }
    return new Lane({ ...this.#deps, consumer, onSettled })
  }

  #take(traffic: Traffic): void {
    this.#traffic = traffic
    this.#turn += 1
    const offer = { turn: this.#turn, traffic }
    if (this.#gate === null) this.#show(offer)
    else this.#gate.take(offer)
    for (const lane of this.#others) lane.take(offer)
    if (this.#lanes.length === 0) this.#tell(offer)
  }

  /** Also when the gate has refused: what it did not open stays shut, and the rest is better known than not. */
  #show({ turn, traffic }: Offer): void {
    if (turn === this.#shownTurn) return
    this.#shownTurn = turn
    this.#showTables(traffic)
    this.#names?.take({ turn, traffic })
  }

  #showTables(traffic: Traffic): void {
    if (this.#shown.policy !== traffic.policy) {
      const zones = Object.entries(traffic.policy?.zones ?? {})
      this.#reaches = Object.fromEntries(zones.map(([zone, { reaches }]) => [zone, reaches]))
    }
    this.#shown = traffic
  }

  /** What all go by is what the one furthest behind goes by. */
  #acknowledge(): void {
    let last: Offer | null = null
    for (const { served } of this.#lanes) {
      if (served === null) return
      if (last === null || served.turn < last.turn) last = served
    }
    if (last !== null && last.turn > this.#acknowledged) this.#tell(last)
  }

  #tell({ turn, traffic }: Offer): void {
    this.#acknowledged = turn
    if (traffic.revision > 0) this.#deps.onServed(traffic.revision)
  }
}
