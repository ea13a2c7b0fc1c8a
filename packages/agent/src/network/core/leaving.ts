import { canonicalJson, type EndpointTable, type Policy } from '@bulkhead/shared'

import { familyOf } from './address.ts'
import type { Bridge } from './bridge.ts'
import { endpointsOf, reaches } from './desired.ts'

interface Known {
  readonly tables: ReadonlyMap<string, EndpointTable>
  readonly policy: Policy | null
}

/** Whether zones reach each other as before: else nothing that is being left may go on. */
export const isSamePolicy = (before: Known, after: Known): boolean =>
  canonicalJson(before.policy?.zones ?? null) === canonicalJson(after.policy?.zones ?? null)

/**
 * Endpoints that have left their tables: an instance that is about to stop gets nothing new, but what has been begun
 * with it may end. Not those of external services: there it is the declaration that has gone.
 */
export function leavingElements(
  before: Known,
  after: Known,
  bridges: readonly Bridge[],
): readonly string[] {
  const found: string[] = []
  if (before.tables === after.tables || !isSamePolicy(before, after)) return found
  for (const [service, table] of after.tables) {
    const earlier = before.tables.get(service)
    if (!earlier || earlier === table || table.external) continue
    for (const bridge of bridges) {
      if (!reaches(after.policy, bridge, table)) continue
      const still = new Set([...endpointsOf(bridge, table)].map(({ text }) => text))
      for (const { address, text } of endpointsOf(bridge, earlier)) {
        if (familyOf(address) !== null && !still.has(text)) found.push(text)
      }
    }
  }
  return found
}
