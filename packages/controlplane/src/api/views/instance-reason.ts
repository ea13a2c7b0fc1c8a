import type { Instance } from '@bulkhead/shared'

import { waitingForBackOff } from '../../reconcile/core/waiting.ts'
import type { ClusterView } from '../../state/view.ts'

/** Why the instance is in the state that it is in: what its agent says of it, or what is known here. */
export function instanceReason(view: ClusterView, instance: Instance, nowMs: number): string {
  const waits = waitingForBackOff(instance, nowMs)
  if (waits !== null) {
    const failed =
      instance.predecessor === null ? undefined : view.instances.get(instance.predecessor)
    const why = failed?.observed.reason ?? ''
    return why === '' ? waits : `${waits}: ${why}`
  }
  const { reason } = instance.observed
  return reason === '' || instance.node === null ? instance.cause : reason
}
