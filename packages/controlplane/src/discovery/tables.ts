import type { Endpoint, EndpointTable, ServiceKey } from '@bulkhead/shared'

import type { Changed, ClusterView, Commit } from '../state/view.ts'
import { servesAlike, tableOf } from './core/endpoints.ts'

/**
 * Services whose tables may have changed. Of one that is gone, its last table without endpoints comes along,
 * as far as anybody has ever read it.
 */
export type TablesListener = (touched: ReadonlyMap<ServiceKey, EndpointTable | null>) => void

/**
 * The endpoint table of every service, as the feed has left it. A table is made when it is read and something that
 * it is made of has changed since: however much happens to a service in between, it is made once. A table whose
 * endpoints have not changed stays the same object.
 */
export class Tables {
  readonly #view: ClusterView
  readonly #tables = new Map<ServiceKey, EndpointTable>()
  readonly #stale = new Set<ServiceKey>()
  readonly #listeners = new Set<TablesListener>()
  #revision: number

  constructor(view: ClusterView) {
    this.#view = view
    this.#revision = view.revision
  }

  /** Of the last commit that has been taken in: whatever it and those before it changed is in the tables. */
  get revision(): number {
    return this.#revision
  }

  *all(): Iterable<EndpointTable> {
    const keys = [...this.#view.services.keys(), ...this.#view.externals.keys()]
    for (const key of keys) {
      const table = this.get(key)
      if (table) yield table
    }
  }

  get(key: ServiceKey): EndpointTable | undefined {
    const known = this.#tables.get(key)
    if (known && !this.#stale.has(key)) return known
    this.#stale.delete(key)
    const table = tableOf(this.#view, key)
    if (table === null) {
      this.#tables.delete(key)
      return undefined
    }
    if (known && areAlike(known, table)) return known
    this.#tables.set(key, table)
    return table
  }

  listen(listener: TablesListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes in durable commits. */
  follow(commits: readonly Commit[]): void {
    const touched = new Map<ServiceKey, EndpointTable | null>()
    for (const { revision, changes } of commits) {
      this.#revision = revision
      for (const change of changes) this.#take(change, touched)
    }
    if (touched.size === 0) return
    for (const listener of this.#listeners) listener(touched)
  }

  #take(change: Changed, touched: Map<ServiceKey, EndpointTable | null>): void {
    const touch = (key: ServiceKey): void => {
      this.#stale.add(key)
      touched.set(key, null)
    }
    if (change.kind === 'instance') {
      if (!servesAlike(change.before, change.after))
        touch((change.after ?? change.before)?.service ?? '')
    } else if (change.kind === 'node') {
      const { before, after } = change
      const same =
        before?.facts.address === after?.facts.address &&
        before?.confirmedDead === after?.confirmedDead &&
        (before?.liveness === 'lost') === (after?.liveness === 'lost')
      if (same) return
      for (const { service } of this.#view.instancesOn(change.key)) touch(service)
    } else if (change.kind === 'rollout') {
      const { before, after } = change
      if (before?.shift || after?.shift) touch((after ?? before)?.service ?? '')
    } else if (
      change.kind === 'external' ||
      (change.kind === 'service' && change.before?.revision !== change.after?.revision)
    ) {
      touch(change.key)
      const last = this.#tables.get(change.key)
      if (change.after === undefined && last) {
        touched.set(change.key, { ...last, revision: this.#view.revision, endpoints: [] })
      }
    }
  }
}

function areAlike(known: EndpointTable, table: EndpointTable): boolean {
  if (known.zone !== table.zone || !areEqual(known.endpoints, table.endpoints)) return false
  return offerOf(known) === offerOf(table)
}

const offerOf = ({ addressIndex, ports, expose }: EndpointTable): string =>
  JSON.stringify([addressIndex, ports, expose])

function areEqual(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  if (a.length !== b.length) return false
  return a.every((one, index) => {
    const other = b[index]
    return (
      one.instance === other?.instance &&
      one.port === other.port &&
      one.hostPort === other.hostPort &&
      one.node === other.node &&
      one.zone === other.zone &&
      one.address === other.address &&
      one.weight === other.weight
    )
  })
}
