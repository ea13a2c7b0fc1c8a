import type { Node } from '@bulkhead/shared'

import { enforcedFilter } from './enforced.ts'
import { environmentFilter } from './environment.ts'
import type { Filter, FilterContext, Refusal } from './filter.ts'
import { hostPortsFilter } from './host-ports.ts'
import { nodeStateFilter } from './node-state.ts'
import { requireFilter } from './require.ts'
import { resourcesFilter } from './resources.ts'
import { separateFilter } from './separate.ts'
import { zoneFilter } from './zone.ts'

/** What depends on the node and the rules alone, for nodes of the service's environment and zone. */
export const lastingFilters = (context: Pick<FilterContext, 'rules'>): readonly Filter[] => [
  nodeStateFilter,
  enforcedFilter,
  requireFilter(context),
]

/** What each placement may change; only ever from fitting to not fitting. */
export const passingFilters = (context: FilterContext): readonly Filter[] => [
  separateFilter(context),
  hostPortsFilter(context),
  resourcesFilter(context),
]

/** All of them, in the order in which they explain themselves. */
export const allFilters = (context: FilterContext): readonly Filter[] => [
  environmentFilter(context),
  zoneFilter(context),
  ...lastingFilters(context),
  ...passingFilters(context),
]

/** Those that do not depend on how the node is just now. */
export const filtersOfHealthyNodes = (context: FilterContext): readonly Filter[] =>
  allFilters(context).filter((filter) => filter !== nodeStateFilter)

export function fits(filters: readonly Filter[], node: Node): boolean {
  for (const filter of filters) if (!filter.check(node)) return false
  return true
}

/** Why the node is refused: what the first filter that refuses it says; null when it fits. */
export function refusalOf(filters: readonly Filter[], node: Node): Refusal | null {
  const refusing = filters.find((filter) => !filter.check(node))
  return refusing === undefined ? null : refusing.explain(node)
}

/** Everything that speaks against the node. */
export function refusalsOf(filters: readonly Filter[], node: Node): readonly Refusal[] {
  return filters.filter((filter) => !filter.check(node)).map((filter) => filter.explain(node))
}
