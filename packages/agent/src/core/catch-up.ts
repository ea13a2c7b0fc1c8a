import { findStarted, linkOf } from './adoption.ts'
import { type ContainerInfo, isAlive } from './container.ts'
import { failedObservation } from './failure.ts'
import { isFinal, type Lineage, succeed } from './lineage.ts'
import { ownership } from './ownership.ts'

/**
 * The lineage after what its containers tell: a record that could not be written to the disk before the agent ended
 * is older than they are, and the slot has gone on with a later link since.
 */
export function catchUp(lineage: Lineage, owned: readonly ContainerInfo[], nowMs: number): Lineage {
  const { current } = lineage
  if (isFinal(current)) return lineage
  const own = owned.filter(({ labels }) => labels[ownership.instance] === current.id)
  if (own.some(isAlive)) return lineage
  const found = findStarted(current.id, owned)
  if (!found || own.includes(found)) return lineage
  const reason = 'it was replaced on the spot before the agent was started anew'
  const failed = failedObservation(current, reason, own[0] ?? null, nowMs)
  return succeed(lineage, failed, linkOf(found, nowMs), nowMs)
}
