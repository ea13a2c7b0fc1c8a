import { isOpen, type Revision, type Rollout } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'

/**
 * new: what is wanted; old: what served before it; stray: left of a rollout that moved traffic by steps and never got
 * to the end, which nobody is sent to while others serve.
 */
export type Side = 'new' | 'old' | 'stray'

type Rollouts = Pick<ClusterView, 'rolloutsOf' | 'revisionOf'>

/** Tells the side of an instance by the hash of its template. */
export function sidesOf(
  view: Rollouts,
  wanted: Revision,
): (templateHash: string | undefined) => Side {
  const rollouts = view.rolloutsOf(wanted.service).toSorted((a, b) => a.to - b.to)
  const serving = rollouts.some(({ shift }) => shift) ? servingTemplates(view, rollouts) : null
  return (hash) => {
    if (hash === wanted.templateHash) return 'new'
    if (serving === null || serving.size === 0 || hash === undefined) return 'old'
    return serving.has(hash) ? 'old' : 'stray'
  }
}

/** Templates that the rollouts, in their order, have left with traffic. */
function servingTemplates(view: Rollouts, rollouts: readonly Rollout[]): ReadonlySet<string> {
  let serving = new Set<string>()
  for (const rollout of rollouts) {
    const { service, to, phase, shift } = rollout
    const hash = view.revisionOf(service, to)?.templateHash
    if (hash === undefined || (shift && isOpen(rollout))) continue
    if (phase === 'completed' || shift?.weight === 100) serving = new Set([hash])
    else if (!shift) serving.add(hash)
  }
  return serving
}
