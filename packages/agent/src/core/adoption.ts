import { successorInstanceId, unobserved } from '@bulkhead/shared'

import { type ContainerInfo, hasEnded, isAlive } from './container.ts'
import { type Link, newLink } from './lineage.ts'
import { ownership } from './ownership.ts'

/** Links that are looked for beyond the assigned one when only containers are left to tell. */
const adoptionWalk = 64

/** The container of the last link from `instance` on that has been started; a live one wins. */
export function findStarted(
  instance: string,
  owned: readonly ContainerInfo[],
): ContainerInfo | undefined {
  const byInstance = new Map<string, ContainerInfo>()
  for (const container of owned) {
    const id = container.labels[ownership.instance] ?? ''
    const other = byInstance.get(id)
    if (!other || isAlive(container)) byInstance.set(id, container)
  }
  let found: ContainerInfo | undefined
  let id = instance
  for (let step = 0; step < adoptionWalk; step++) {
    const container = byInstance.get(id)
    if (container && isAlive(container)) return container
    if (container && hasEnded(container)) found = container
    id = successorInstanceId(id)
  }
  return found
}

/** The link that the container's labels tell of. */
export function linkOf(container: ContainerInfo, nowMs: number): Link {
  const { labels } = container
  const link = newLink(
    {
      id: labels[ownership.instance] ?? '',
      predecessor: labels[ownership.predecessor] || null,
      attempt: Number(labels[ownership.attempt] ?? 0) || 0,
      startAtMs: Number(labels[ownership.startAt] ?? 0) || 0,
    },
    nowMs,
  )
  return { ...link, ...adopted(container, nowMs) }
}

/** What is known of a link whose container is there and of which there is no record. */
export function adopted(
  container: ContainerInfo,
  nowMs: number,
): Pick<Link, 'observed' | 'sinceMs'> {
  const observed = {
    ...unobserved,
    state: 'starting',
    reason: 'it was found running',
    containerId: container.id,
    startedAtMs: container.startedAtMs,
  } as const
  return { observed, sinceMs: nowMs }
}
