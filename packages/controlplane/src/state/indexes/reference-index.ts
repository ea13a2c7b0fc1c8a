import { resolveServiceName, type Revision, type ServiceKey } from '@bulkhead/shared'

import { byText, SortedLists } from '../sorted-list.ts'

export interface SeparationRule {
  readonly service: ServiceKey
  readonly by: string
}

const byRule = (a: SeparationRule, b: SeparationRule): number =>
  byText(a.service, b.service) || byText(a.by, b.by)

/** Who names a service in `separate` or `dependsOn` of its wanted revision. */
export class ReferenceIndex {
  readonly #separated = new SortedLists<SeparationRule>(byRule)
  readonly #dependents = new SortedLists<ServiceKey>(byText)

  separatedBy(service: ServiceKey): readonly SeparationRule[] {
    return this.#separated.read(service)
  }

  dependentsOf(service: ServiceKey): readonly ServiceKey[] {
    return this.#dependents.read(service)
  }

  /** Takes up what the wanted revision of a service says. */
  add({ service, spec }: Revision): void {
    for (const { from, by } of spec.placement.separate) {
      const other = resolveServiceName(from, service)
      if (other !== service) this.#separated.put(other, { service, by })
    }
    for (const name of spec.dependsOn) {
      this.#dependents.put(resolveServiceName(name, service), service)
    }
  }

  remove({ service, spec }: Revision): void {
    for (const { from, by } of spec.placement.separate) {
      this.#separated.remove(resolveServiceName(from, service), { service, by })
    }
    for (const name of spec.dependsOn) {
      this.#dependents.remove(resolveServiceName(name, service), service)
    }
  }
}
