import type { EndpointTable, ToAgentMessage } from '@bulkhead/shared'

import type { Directory } from '../core/resolve.ts'
import type { Journal } from '../journal/journal.ts'

type EndpointsMessage = Extract<ToAgentMessage, { kind: 'endpoints' }>

/** The last good endpoint tables and zone rules; they outlive the connection and the process. */
export class EndpointTables implements Directory {
  readonly #journal: Journal
  readonly #tables = new Map<string, EndpointTable>()
  #reaches: Readonly<Record<string, readonly string[]>> = {}

  constructor(deps: { readonly journal: Journal }) {
    this.#journal = deps.journal
  }

  get tables(): ReadonlyMap<string, EndpointTable> {
    return this.#tables
  }

  get reaches(): Readonly<Record<string, readonly string[]>> {
    return this.#reaches
  }

  restore(tables: readonly EndpointTable[], reaches: Readonly<Record<string, string[]>>): void {
    for (const table of tables) this.#tables.set(table.service, table)
    this.#reaches = reaches
  }

  setReaches(reaches: Readonly<Record<string, readonly string[]>>): void {
    this.#reaches = reaches
    this.#journal.put('reaches', reaches)
  }

  apply(message: EndpointsMessage): void {
    const named = new Set(message.tables.map((table) => table.service))
    for (const service of message.full ? [...this.#tables.keys()] : []) {
      if (named.has(service)) continue
      this.#tables.delete(service)
      this.#journal.delete(`endpoints/${service}`)
    }
    for (const table of message.tables) {
      this.#tables.set(table.service, table)
      this.#journal.put(`endpoints/${table.service}`, table)
    }
  }
}
