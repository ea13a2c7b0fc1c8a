import type { ServiceKey } from '@bulkhead/shared'

import type { Change } from '../state/change.ts'

/** Adds the services of which these changes say that something else is wanted of them. */
export function addWanted(services: Set<ServiceKey>, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === 'service') services.add(change.key)
    else if (change.kind === 'revision' || change.kind === 'rollout') {
      const service = (change.after ?? change.before)?.service
      if (service !== undefined) services.add(service)
    }
  }
}
