import { canonicalJson, type EndpointTable, type ServiceKey } from '@bulkhead/shared'

import type { ClusterView, Commit } from '../state/view.ts'
import { tableOf } from './core/endpoints.ts'

/** A table that changed, or the last one of a service that is gone (then without endpoints). */
export type TablesListener = (revision: number, changed: readonly EndpointTable[]) => void

/** The endpoint table of every service, kept up to date by the feed and handed on whole when it changes. */
export class Tables {
  readonly #view: ClusterView
  readonly #tables = new Map<ServiceKey, EndpointTable>()
  readonly #listeners = new Set<TablesListener>()

  constructor(view: ClusterView) {
    this.#view = view
    for (const key of view.services.keys()) this.#refresh(key)
  }

  all(): Iterable<EndpointTable> {
    return this.#tables.values()
  }

  get(key: ServiceKey): EndpointTable | undefined {
    return this.#tables.get(key)
  }

  listen(listener: TablesListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes in durable commits. */
  follow(commits: readonly Commit[]): void {
    const touched = new Set<ServiceKey>()
    let revision = 0
    for (const commit of commits) {
      revision = Math.max(revision, commit.revision)
      for (const change of commit.changes) {
        if (change.kind === 'service') touched.add(change.key)
        else if (change.kind === 'instance') {
          const service = (change.after ?? change.before)?.service
          if (service !== undefined) touched.add(service)
        } else if (change.kind === 'node') {
          for (const instance of this.#view.instancesOn(change.key)) touched.add(instance.service)
        }
      }
    }
    const changed: EndpointTable[] = []
    for (const key of touched) {
      const table = this.#refresh(key)
      if (table) changed.push(table)
    }
    if (changed.length === 0) return
    for (const listener of this.#listeners) listener(revision, changed)
  }

  #refresh(key: ServiceKey): EndpointTable | null {
    const before = this.#tables.get(key)
    const table = tableOf(this.#view, key)
    if (!table) {
      this.#tables.delete(key)
      return before ? { ...before, revision: this.#view.revision, endpoints: [] } : null
    }
    const same =
      before && before.zone === table.zone && canonicalJson(before.endpoints) === canonicalJson(table.endpoints)
    if (same) return null
    this.#tables.set(key, table)
    return table
  }
}
