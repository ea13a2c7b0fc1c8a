import { isGone } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'

interface Reported {
  readonly instance: string
  readonly observed: { readonly state: string }
}

/** Whether an agent reports something live that has no live record: it missed, or crossed, a message. */
export function isAstray(
  view: Pick<ClusterView, 'instances'>,
  node: string,
  reports: readonly Reported[],
): boolean {
  return reports.some(({ instance, observed }) => {
    if (observed.state === 'stopped' || observed.state === 'failed') return false
    const record = view.instances.get(instance)
    return !record || isGone(record) || record.lostAtMs !== null || record.node !== node
  })
}
