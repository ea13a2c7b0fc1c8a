import type { Lineages } from './accept.ts'
import { rolesOf } from './claims.ts'
import { type ContainerInfo, isAlive } from './container.ts'
import type { Lineage } from './lineage.ts'
import { ownership } from './ownership.ts'

/**
 * The instance that runs, or is being started, on this node in the slot of an exclusive lineage without being part of
 * it; null: none. Whatever the control plane says, two of a slot are not to run on one node at a time.
 */
export function rivalOf(
  lineage: Lineage,
  lineages: Lineages,
  owned: () => readonly ContainerInfo[],
): string | null {
  const { service, slot, template } = lineage.assignment
  const isStarting = lineage.current.observed.state === 'starting'
  if (!template.exclusive) return null
  const own = new Set(rolesOf(lineage).map(([id]) => id))
  for (const container of owned()) {
    const { labels } = container
    if (labels[ownership.service] !== service || labels[ownership.slot] !== String(slot)) continue
    const instance = labels[ownership.instance] ?? ''
    if (isAlive(container) && !own.has(instance)) return instance
  }
  for (const { key, assignment, current } of lineages.values()) {
    if (key === lineage.key || assignment.service !== service || assignment.slot !== slot) continue
    // Of two that an earlier process has left so, each would wait for the other.
    const goesFirst = isStarting && lineage.key < key
    if (current.observed.state === 'starting' && !goesFirst) return current.id
  }
  return null
}
