import { isGone, type Instance } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'

/**
 * True as long as the container of the instance may exist: it counts against separation until its
 * node has said that it is gone, or an operator has vouched for the node's death or removed it.
 */
export function mayExist(view: ClusterView, instance: Instance): boolean {
  if (instance.node === null || isGone(instance)) return false
  const node = view.nodes.get(instance.node)
  return node !== undefined && !node.confirmedDead
}
