import type { Placement, Revision } from '@bulkhead/shared'

import type { Situation } from './situation.ts'

/**
 * The placement rules for a new instance of the revision. A change of rules alone makes no other
 * container, so that they are the wanted revision's as long as the templates are equal. An instance
 * of an older template (while its rollout rests) keeps its own, and must not stand in the way of
 * the wanted separation either.
 */
export function placementRules({ wanted }: Situation, revision: Revision): Placement {
  const own = revision.spec.placement
  if (revision.templateHash === wanted.templateHash) return wanted.spec.placement
  return { ...own, separate: [...own.separate, ...wanted.spec.placement.separate] }
}
