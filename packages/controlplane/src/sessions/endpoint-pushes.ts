import type { Clock, EndpointTable, ServiceKey } from '@bulkhead/shared'

import { concernsNode, reachesOf } from '../discovery/core/endpoints.ts'
import type { Tables } from '../discovery/tables.ts'
import type { ClusterView, Commit } from '../state/view.ts'
import type { Audiences } from './audiences.ts'
import { endpointsMessage } from './core/endpoints-message.ts'
import type { Session } from './session.ts'

/** What changes within this time goes out together … */
const gatherMs = 50
/** … and when sending takes long, the time between is so many times longer, which leaves room for everything else. */
const restFactor = 3

export interface EndpointPushesDeps {
  readonly view: ClusterView
  readonly tables: Tables
  readonly clock: Clock
  /** Sessions that have had their full set. */
  readonly audiences: Audiences
  /** All changes that there were have been sent. */
  readonly onSent: () => void
}

/**
 * Tells agents of endpoint tables that changed: the first change after a quiet time at once, those after it
 * together. A table that changes often is sent as it is in the end.
 */
export class EndpointPushes {
  readonly #deps: EndpointPushesDeps
  #pending = new Map<ServiceKey, EndpointTable | null>()
  readonly #sent = new Map<ServiceKey, EndpointTable>()
  #scheduled = false
  #quietAtMs = 0

  constructor(deps: EndpointPushesDeps) {
    this.#deps = deps
  }

  /** Takes in what `Tables` tells its listeners. */
  take(touched: ReadonlyMap<ServiceKey, EndpointTable | null>): void {
    for (const [key, last] of touched) this.#pending.set(key, last)
    if (this.#scheduled) return
    this.#scheduled = true
    const { clock } = this.#deps
    clock.after(Math.max(this.#quietAtMs - clock.monotonicMs(), 0), () => this.#flush())
  }

  /** Whether changes of the service's table have not been sent yet. */
  isPending(key: ServiceKey): boolean {
    return this.#pending.has(key)
  }

  /** Tells a session everything that concerns its node. */
  sendAll(session: Session): void {
    const { view, tables, audiences } = this.#deps
    const facts = view.nodes.get(session.node)?.facts
    if (facts === undefined) return
    const reaches = reachesOf(view.zones)
    const wanted = [...tables.all()].filter((table) => concernsNode(table, facts, reaches))
    const known = audiences.of(session)?.known
    for (const { service } of wanted) known?.add(service)
    session.sendTables(tables.revision, endpointsMessage(true, tables.revision, wanted))
  }

  /** Which tables concern a node changes with the zones: what it knew may be missing then, or out of date. */
  follow(commits: readonly Commit[]): void {
    if (!commits.some(({ changes }) => changes.some(({ kind }) => kind === 'zones'))) return
    for (const { sessions } of this.#deps.audiences) {
      for (const session of sessions) this.sendAll(session)
    }
  }

  #flush(): void {
    const { clock } = this.#deps
    const sinceMs = clock.monotonicMs()
    this.#scheduled = false
    const pending = this.#pending
    this.#pending = new Map()
    if (this.#deps.audiences.size > 0) this.#send(this.#changed(pending))
    const nowMs = clock.monotonicMs()
    this.#quietAtMs = nowMs + Math.max(gatherMs, (nowMs - sinceMs) * restFactor)
    this.#deps.onSent()
  }

  /** The tables that differ from what was last sent. */
  #changed(pending: ReadonlyMap<ServiceKey, EndpointTable | null>): readonly EndpointTable[] {
    const changed: EndpointTable[] = []
    for (const [key, last] of pending) {
      const current = this.#deps.tables.get(key)
      const table = current ?? last
      if (table === null || this.#sent.get(key) === table) continue
      changed.push(table)
      if (current) this.#sent.set(key, current)
      else this.#sent.delete(key)
    }
    return changed
  }

  #send(changed: readonly EndpointTable[]): void {
    if (changed.length === 0) return
    const { view, tables, audiences } = this.#deps
    const { revision } = tables
    const reaches = reachesOf(view.zones)
    for (const { facts, sessions, known } of audiences) {
      const wanted = changed.flatMap((table) => {
        if (concernsNode(table, facts, reaches)) {
          known.add(table.service)
          return [table]
        }
        // It has gone to another zone: these nodes must not go on with what they knew of it.
        return known.delete(table.service) ? [{ ...table, endpoints: [] }] : []
      })
      if (wanted.length === 0) continue
      const message = endpointsMessage(false, revision, wanted)
      for (const session of sessions) session.sendTables(revision, message)
    }
  }
}
