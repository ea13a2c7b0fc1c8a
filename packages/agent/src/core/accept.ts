import type { Assignment, InstanceReport, ToAgentMessage } from '@bulkhead/shared'

import { adopted, findStarted, linkOf } from './adoption.ts'
import type { ContainerInfo } from './container.ts'
import { advanceOrigin, hasLink, type Lineage, type Link, newLineage, newLink } from './lineage.ts'
import { ownership } from './ownership.ts'

export type AssignmentsMessage = Extract<ToAgentMessage, { kind: 'assignments' }>

/** Lineages by their key. */
export type Lineages = ReadonlyMap<string, Lineage>

/** One message that says what `first` and then `second` say. */
export function joined(first: AssignmentsMessage, second: AssignmentsMessage): AssignmentsMessage {
  if (second.from === null) return second
  const upserts = new Map(first.upserts.map((one) => [one.instance, one]))
  const removes = new Set(first.removes)
  for (const id of second.removes) {
    upserts.delete(id)
    // A full set names what there is, and nothing else.
    if (first.from !== null) removes.add(id)
  }
  for (const one of second.upserts) {
    upserts.set(one.instance, one)
    removes.delete(one.instance)
  }
  return { ...first, revision: second.revision, upserts: [...upserts.values()], removes: [...removes] }
}

/**
 * The lineages after a message of the control plane. What it no longer names, in a full set, or names as done with,
 * is abandoned: stopped, removed and then forgotten. `owned` are the containers with our labels; `farewell` is the last
 * that was said of an instance, or of its successor, that has no record here any more and that the control plane has
 * not answered yet.
 */
export function acceptAssignments(
  lineages: Lineages,
  message: AssignmentsMessage,
  owned: readonly ContainerInfo[],
  nowMs: number,
  farewell: (instance: string) => InstanceReport | undefined = () => undefined,
): Lineages {
  const next = new Map(lineages)
  const byOrigin = new Map([...lineages.values()].map((lineage) => [lineage.origin, lineage]))
  const named = new Set<string>()
  for (const assignment of message.upserts) {
    const known = byOrigin.get(assignment.instance) ?? findByLink(lineages, assignment)
    const lineage = known
      ? update(known, assignment)
      : adopt(assignment, owned, nowMs, farewell(assignment.instance))
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

/**
 * A lineage that is new to the agent, or that it has lost its record of while the containers lived on. What it has
 * called gone stays gone: the control plane may give the slot away as soon as it hears of it.
 */
function adopt(
  assignment: Assignment,
  owned: readonly ContainerInfo[],
  nowMs: number,
  gone: InstanceReport | undefined,
): Lineage {
  const { instance, attempt, startAtMs } = assignment
  if (gone) return newLineage(assignment, lastLink(gone, nowMs))
  const fresh = newLink({ id: instance, predecessor: null, attempt, startAtMs }, nowMs)
  const found = findStarted(instance, owned)
  if (!found) return newLineage(assignment, fresh)
  const isSame = found.labels[ownership.instance] === instance
  const current = isSame ? { ...fresh, ...adopted(found, nowMs) } : linkOf(found, nowMs)
  return newLineage(assignment, current)
}

function lastLink(gone: InstanceReport, nowMs: number): Link {
  const { instance: id, predecessor, attempt, startAtMs, observed } = gone
  return newLink({ id, predecessor, attempt, startAtMs }, nowMs, observed)
}
