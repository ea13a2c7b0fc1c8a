import { acceptAssignments, type AssignmentsMessage, type Lineages } from './accept.ts'
import { isFinal } from './lineage.ts'

/**
 * Whether the lease of this node may be renewed while the engine does not answer. What is exclusive and was given to
 * another node cannot be ended then, and a renewed lease would give it its network back. `early` is what waits for the
 * engine's first list to be taken in.
 */
export function mayRenew(
  lineages: Lineages,
  early: AssignmentsMessage | null,
  nowMs: number,
): boolean {
  const next = early === null ? lineages : acceptAssignments(lineages, early, [], nowMs)
  for (const { abandoned, assignment, current } of next.values()) {
    if (abandoned && assignment.template.exclusive && !isFinal(current)) return false
  }
  return true
}
