import { type InstanceReport, successorInstanceId, unobserved } from '@bulkhead/shared'

import type { Lineages } from './accept.ts'
import { type ContainerInfo, isAlive } from './container.ts'
import type { LeaseStanding } from './lease.ts'
import type { Lineage } from './lineage.ts'
import { isOwn, type NodeIdentity, ownership } from './ownership.ts'

/** What a container is to a lineage. */
export type Role = 'current' | 'prepared' | 'remains'

interface Claim {
  readonly lineage: Lineage
  readonly role: Role
}

/** Which instance ids belong to which lineage, and as what. */
function claimsOf(lineages: Lineages): ReadonlyMap<string, Claim> {
  const claims = new Map<string, Claim>()
  for (const lineage of lineages.values()) {
    for (const [id, role] of rolesOf(lineage)) claims.set(id, { lineage, role })
  }
  return claims
}

/** The instance ids of one lineage that a container may bear. */
export function rolesOf(lineage: Lineage): readonly (readonly [string, Role])[] {
  const { current, ended } = lineage
  const remains = ended.map((link) => [link.id, 'remains'] as const)
  if (current.predecessor !== null) remains.push([current.predecessor, 'remains'])
  return [...remains, [successorInstanceId(current.id), 'prepared'], [current.id, 'current']]
}

/** Containers with our labels that nothing known accounts for. Judged only after a full set of assignments. */
export function leftoversOf(
  owned: readonly ContainerInfo[],
  lineages: Lineages,
): readonly ContainerInfo[] {
  const claims = claimsOf(lineages)
  return owned.filter((container) => !claims.has(container.labels[ownership.instance] ?? ''))
}

const because = (reason: string) => (container: ContainerInfo) => ({ container, reason })

/**
 * Which leftovers go, and why: all of them after a full set of assignments; before that only what is exclusive, once
 * the lease is over, because without a record, as after the loss of the journal, nobody else would end it.
 */
export function dueLeftovers(
  leftovers: readonly ContainerInfo[],
  sawFullSet: boolean,
  lease: LeaseStanding,
): readonly { readonly container: ContainerInfo; readonly reason: string }[] {
  if (sawFullSet) return leftovers.map(because('no assignment accounts for it'))
  if (lease === 'presumed' || lease === 'held') return []
  return leftovers
    .filter((container) => isAlive(container) && container.labels[ownership.exclusive] !== undefined)
    .map(because('it is exclusive, there is no record of it, and the lease of this node has run out'))
}

/** Containers on the engine that are not this node's: nobody here touches them. */
export function countUnmanaged(
  containers: readonly Pick<ContainerInfo, 'labels'>[],
  identity: NodeIdentity,
): number {
  return containers.filter((container) => !isOwn(container.labels, identity)).length
}

/**
 * Reports of live containers of which only the labels are left to tell, so that a control plane hears of them before
 * it says what is to be there.
 */
export function reportsOfUnclaimed(
  owned: readonly ContainerInfo[],
  lineages: Lineages,
): readonly InstanceReport[] {
  return leftoversOf(owned, lineages).filter(isAlive).flatMap(reportOfLabels)
}

/**
 * What is said of a container that nothing accounted for, once it has been removed. Of one that had ended, too: it may
 * have run when it was last told of.
 */
export function reportsOfRemoved(container: ContainerInfo, nowMs: number): readonly InstanceReport[] {
  if (container.state === 'created') return []
  const reason = 'it was removed, because no assignment accounts for it'
  return reportOfLabels(container).map((report) => stoppedReport(report, reason, nowMs))
}

/** What is said of a container that was told of without a record, once it is no longer there. */
export const reportOfVanished = (told: InstanceReport, nowMs: number): InstanceReport =>
  stoppedReport(told, 'it went without a record of it', nowMs)

function stoppedReport(report: InstanceReport, reason: string, finishedAtMs: number): InstanceReport {
  const end = { state: 'stopped', health: 'unknown', reason, finishedAtMs } as const
  return { ...report, observed: { ...report.observed, ...end } }
}

function reportOfLabels(container: ContainerInfo): readonly InstanceReport[] {
  const { labels } = container
  const instance = labels[ownership.instance] ?? ''
  const service = labels[ownership.service] ?? ''
  const slot = Number(labels[ownership.slot])
  const revision = Number(labels[ownership.revision])
  if (instance === '' || service === '') return []
  if (!Number.isInteger(slot) || !Number.isInteger(revision)) return []
  return [
    {
      instance,
      service,
      slot,
      revision,
      origin: labels[ownership.origin] || instance,
      predecessor: labels[ownership.predecessor] || null,
      attempt: Math.trunc(Number(labels[ownership.attempt])) || 0,
      startAtMs: Number(labels[ownership.startAt]) || 0,
      hostPorts: parsePorts(labels[ownership.ports] ?? ''),
      observed: {
        ...unobserved,
        state: 'running',
        health: 'unknown',
        reason: 'it was found running after the record of it was lost',
        containerId: container.id,
        startedAtMs: container.startedAtMs,
      },
    },
  ]
}

function parsePorts(text: string): Record<string, number> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return {}
    const ports = Object.entries(value).filter(([, port]) => Number.isInteger(port))
    return Object.fromEntries(ports) as Record<string, number>
  } catch {
    return {}
  }
}
