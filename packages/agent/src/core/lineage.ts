import {
  type Assignment,
  type InstanceReport,
  type Observed,
  successorInstanceId,
  unobserved,
} from '@bulkhead/shared'

/** One instance of a lineage: what the agent knows of it, beyond what it is assigned. */
export interface Link {
  readonly id: string
  /** The link before it; null for an instance that the control plane assigned without one. */
  readonly predecessor: string | null
  readonly attempt: number
  readonly startAtMs: number
  /** When the agent first knew of it: no wait for `startAtMs` lasts longer than the longest back-off from here. */
  readonly knownAtMs: number
  /** When `observed.state` last changed. */
  readonly sinceMs: number
  readonly observed: Observed
  /** Why the agent ends it although it is wanted (a probe says so); empty otherwise. */
  readonly ending: string
  /** The stop signal has been sent. */
  readonly signalled: boolean
  /** When it was last sent SIGKILL; 0: never. */
  readonly killedAtMs: number
  /** Failed tries to create or start it that may be repeated, and when the next one is due. */
  readonly tries: number
  readonly retryAtMs: number
}

/**
 * What serves one slot on this node: the instance that the control plane assigned, `origin`, and the chain of
 * successors by which the agent has answered crashes since. Only the last link can have a live container.
 */
export interface Lineage {
  /** Its first origin: what the agent knows it by, for good. */
  readonly key: string
  readonly origin: string
  readonly assignment: Assignment
  /** The control plane no longer knows it: it is stopped, removed, and then forgotten. */
  readonly abandoned: boolean
  readonly current: Link
  /** Failed links that the control plane may not know of yet: the origin and the newest others. */
  readonly ended: readonly Link[]
}

/** Failed links kept beside the origin. */
const endedLimit = 2
/** A bound for walks along a chain: more than a week of crashes at the longest default back-off. */
const walkLimit = 16_384

export function newLink(
  link: Pick<Link, 'id' | 'predecessor' | 'attempt' | 'startAtMs'>,
  nowMs: number,
  observed: Observed = unobserved,
): Link {
  return {
    ...link,
    knownAtMs: nowMs,
    sinceMs: nowMs,
    observed,
    ending: '',
    signalled: false,
    killedAtMs: 0,
    tries: 0,
    retryAtMs: 0,
  }
}

export function newLineage(assignment: Assignment, current: Link): Lineage {
  const key = assignment.instance
  return { key, origin: key, assignment, abandoned: false, current, ended: [] }
}

/** True when nothing of the lineage is wanted any more. */
export function isUnwanted(lineage: Lineage): boolean {
  return lineage.abandoned || lineage.assignment.desired === 'stop'
}

export function isFinal(link: Link): boolean {
  return link.observed.state === 'stopped' || link.observed.state === 'failed'
}

/** The same link with other observations; notes the time when the state changes. */
export function observe(link: Link, observed: Observed, nowMs: number): Link {
  const sinceMs = observed.state === link.observed.state ? link.sinceMs : nowMs
  return { ...link, observed, sinceMs }
}

/** The lineage after its current link has failed and `successor` goes on in its place. */
export function succeed(
  lineage: Lineage,
  failed: Observed,
  successor: Link,
  nowMs: number,
): Lineage {
  const ended = [...lineage.ended, observe(lineage.current, failed, nowMs)]
  const kept = ended.filter(
    (link, index) => link.id === lineage.origin || index >= ended.length - endedLimit,
  )
  return { ...lineage, current: successor, ended: kept }
}

/** Whether `id` is a link between origin and current, both included. */
export function hasLink(lineage: Lineage, id: string): boolean {
  let link = lineage.origin
  for (let step = 0; step < walkLimit; step++) {
    if (link === id) return true
    if (link === lineage.current.id) return false
    link = successorInstanceId(link)
  }
  return false
}

/** The lineage after the control plane has taken note of it up to the link that `assignment` names. */
export function advanceOrigin(lineage: Lineage, assignment: Assignment): Lineage {
  const index = lineage.ended.findIndex((link) => link.id === assignment.instance)
  return {
    ...lineage,
    origin: assignment.instance,
    assignment,
    abandoned: false,
    ended: index < 0 ? [] : lineage.ended.slice(index),
  }
}

/** What is to be said of a lineage: its failed links first, so that a reader sees causes before effects. */
export function reportsOf(lineage: Lineage): readonly InstanceReport[] {
  return [...lineage.ended, lineage.current].map((link) => reportOf(lineage, link))
}

export function reportOf(lineage: Lineage, link: Link): InstanceReport {
  const { service, slot, revision, hostPorts } = lineage.assignment
  return {
    instance: link.id,
    service,
    slot,
    revision,
    origin: lineage.origin,
    predecessor: link.predecessor,
    attempt: link.attempt,
    startAtMs: link.startAtMs,
    hostPorts,
    observed: link.observed,
  }
}
