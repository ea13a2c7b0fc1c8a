import type { ServiceKey } from '@bulkhead/shared'

import type { Change } from '../state/change.ts'

/** Services that a commit calls for a look at. */
export interface Asked {
  /** Something else is wanted of them. */
  readonly wanted: Set<ServiceKey>
  /** Something has happened to their instances. */
  readonly observed: Set<ServiceKey>
}

/** Adds the services themselves; who depends on them is nobody's hurry. */
export function addAsked({ wanted, observed }: Asked, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === 'service') wanted.add(change.key)
    else if (
      change.kind === 'revision' ||
      change.kind === 'rollout' ||
      change.kind === 'instance'
    ) {
      const service = (change.after ?? change.before)?.service
      if (service !== undefined) (change.kind === 'instance' ? observed : wanted).add(service)
    }
  }
}
