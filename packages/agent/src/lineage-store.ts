import type { InstanceReport } from '@bulkhead/shared'

import type { Lineages } from './core/accept.ts'
import { type Role, rolesOf } from './core/claims.ts'
import { type Lineage, reportOf } from './core/lineage.ts'
import type { Journal } from './journal/journal.ts'

export interface LineageStoreDeps {
  readonly journal: Journal
  readonly onReport: (report: InstanceReport) => void
  /** The record of an instance is dropped; this is the last there is to say of it. */
  readonly onForgotten: (report: InstanceReport) => void
}

/** All lineages, found by any of their instances, kept in the journal, and reported as they change. */
export class LineageStore {
  readonly #deps: LineageStoreDeps
  readonly #lineages = new Map<string, Lineage>()
  readonly #keys = new Map<string, string>()

  constructor(deps: LineageStoreDeps) {
    this.#deps = deps
  }

  get all(): Lineages {
    return this.#lineages
  }

  get hasExclusive(): boolean {
    return [...this.#lineages.values()].some(({ assignment }) => assignment.template.exclusive)
  }

  get(key: string): Lineage | undefined {
    return this.#lineages.get(key)
  }

  /** The lineage that an instance belongs to: as its current link, its predecessor or its successor to be. */
  find(instance: string): Lineage | undefined {
    const key = this.#keys.get(instance)
    return key === undefined ? undefined : this.#lineages.get(key)
  }

  roleOf(instance: string): Role | undefined {
    const lineage = this.find(instance)
    return lineage && rolesOf(lineage).find(([id]) => id === instance)?.[1]
  }

  /** Takes what the journal says: nothing of it is news. */
  restore(lineage: Lineage): void {
    this.#lineages.set(lineage.key, lineage)
    for (const [id] of rolesOf(lineage)) this.#keys.set(id, lineage.key)
  }

  update(lineage: Lineage): void {
    const before = this.#lineages.get(lineage.key)
    if (before === lineage) return
    this.#unindex(before)
    this.restore(lineage)
    const { assignment, ...rest } = lineage
    const { journal } = this.#deps
    if (before?.assignment !== assignment) {
      journal.put(`assignment/${lineage.key}`, assignment, { sync: true })
    }
    journal.put(`lineage/${lineage.key}`, rest)
    this.#report(lineage, before)
  }

  forget(lineage: Lineage): void {
    this.#unindex(lineage)
    this.#lineages.delete(lineage.key)
    this.#deps.journal.delete(`lineage/${lineage.key}`)
    this.#deps.journal.delete(`assignment/${lineage.key}`)
    this.#deps.onForgotten(reportOf(lineage, lineage.current))
  }

  #unindex(lineage: Lineage | undefined): void {
    if (!lineage) return
    for (const [id] of rolesOf(lineage)) {
      if (this.#keys.get(id) === lineage.key) this.#keys.delete(id)
    }
  }

  #report(lineage: Lineage, before: Lineage | undefined): void {
    const known = before ? [...before.ended, before.current] : []
    for (const link of [...lineage.ended, lineage.current]) {
      const isNews = !known.some(({ id, observed }) => id === link.id && observed === link.observed)
      if (isNews) this.#deps.onReport(reportOf(lineage, link))
    }
  }
}
