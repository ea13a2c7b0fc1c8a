import type { Rollout, ServiceKey } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'

/**
 * The last rollout that came to its end; one of no replicas at all proves nothing of what it rolled
 * out.
 */
export function lastCompleted(view: ClusterView, key: ServiceKey): Rollout | undefined {
  const proven = view
    .rolloutsOf(key)
    .filter(({ phase, to }) => phase === 'completed' && (replicasOf(view, key, to) ?? 1) > 0)
  return proven.toSorted((a, b) => a.to - b.to).at(-1)
}

const replicasOf = (view: ClusterView, key: ServiceKey, revision: number): number | undefined =>
  view.revisionOf(key, revision)?.spec.replicas

/** Template that was last rolled out in full, as far as it is known. */
export function completedHash(view: ClusterView, key: ServiceKey): string | undefined {
  const completed = lastCompleted(view, key)
  return completed && view.revisionOf(key, completed.to)?.templateHash
}
