import {
  type Assignment,
  successorInstanceId,
  type ToAgentMessage,
  unobserved,
} from '@bulkhead/shared'

import { type ContainerInfo, hasEnded, isAlive } from './container.ts'
import { advanceOrigin, hasLink, type Lineage, type Link, newLineage, newLink } from './lineage.ts'
import { ownership } from './ownership.ts'

export type AssignmentsMessage = Extract<ToAgentMessage, { kind: 'assignments' }>

/** Lineages by their key. */
export type Lineages = ReadonlyMap<string, Lineage>

/** Links that are looked for beyond the assigned one when only containers are left to tell. */
const adoptionWalk = 64

/**
 * The lineages after a message of the control plane. What it no longer names, in a full set, or names as done with,
 * is abandoned: stopped, removed and then forgotten. `owned` are the containers with our labels.
 */
export function acceptAssignments(
  lineages: Lineages,
  message: AssignmentsMessage,
  owned: readonly ContainerInfo[],
  nowMs: number,
): Lineages {
  const next = new Map(lineages)
  const byOrigin = new Map([...lineages.values()].map((lineage) => [lineage.origin, lineage]))
  const named = new Set<string>()
  for (const assignment of message.upserts) {
    const known = byOrigin.get(assignment.instance) ?? findByLink(lineages, assignment)
    const lineage = known ? update(known, assignment) : adopt(assignment, owned, nowMs)
    next.set(lineage.key, lineage)
    named.add(lineage.key)
  }
  for (const lineage of lineages.values()) {
    if (named.has(lineage.key)) continue
    const isDone = message.from === null || message.removes.includes(lineage.origin)
    if (isDone && !lineage.abandoned) next.set(lineage.key, { ...lineage, abandoned: true })
  }
  return next
}

/** The control plane has taken note of a successor that the agent made. */
function findByLink(lineages: Lineages, assignment: Assignment): Lineage | undefined {
  for (const lineage of lineages.values()) {
    const { service, slot } = lineage.assignment
    if (service !== assignment.service || slot !== assignment.slot) continue
    if (hasLink(lineage, assignment.instance)) return lineage
  }
  return undefined
}

function update(lineage: Lineage, assignment: Assignment): Lineage {
  if (lineage.origin === assignment.instance) return { ...lineage, assignment, abandoned: false }
  return advanceOrigin(lineage, assignment)
}

/** A lineage that is new to the agent, or that it has lost its record of while the containers lived on. */
function adopt(assignment: Assignment, owned: readonly ContainerInfo[], nowMs: number): Lineage {
  const { instance, attempt, startAtMs } = assignment
  const fresh = newLink({ id: instance, predecessor: null, attempt, startAtMs }, nowMs)
  const found = findContainer(instance, owned)
  if (!found) return newLineage(assignment, fresh)
  const isSame = found.labels[ownership.instance] === instance
  const current = isSame ? { ...fresh, ...adopted(found, nowMs) } : linkOf(found, nowMs)
  return newLineage(assignment, current)
}

/** The container of the last link from `instance` on that has been started; a live one wins. */
function findContainer(
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

function linkOf(container: ContainerInfo, nowMs: number): Link {
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

function adopted(container: ContainerInfo, nowMs: number): Pick<Link, 'observed' | 'sinceMs'> {
  const observed = {
    ...unobserved,
    state: 'starting',
    reason: 'it was found running',
    containerId: container.id,
    startedAtMs: container.startedAtMs,
  } as const
  return { observed, sinceMs: nowMs }
}
