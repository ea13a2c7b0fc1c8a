import { isGone, isWithdrawing, type Assignment, type Instance } from '@bulkhead/shared'

import type { ClusterView, Commit } from '../../state/view.ts'

/** What its agent is told: to stop only when traffic has left it. */
const orderOf = (instance: Instance): 'run' | 'stop' =>
  instance.desired === 'stop' && !isWithdrawing(instance) ? 'stop' : 'run'

/** Null when the agent has nothing to do with the instance: it is not placed, gone, or given up. */
export function assignmentOf(view: ClusterView, instance: Instance): Assignment | null {
  if (instance.node === null || isGone(instance) || instance.lostAtMs !== null) return null
  const revision = view.revisionOf(instance.service, instance.revision)
  if (!revision) return null
  return {
    instance: instance.id,
    service: instance.service,
    slot: instance.slot,
    revision: instance.revision,
    desired: orderOf(instance),
    cause: instance.cause,
    startAtMs: instance.startAtMs,
    attempt: instance.attempt,
    hostPorts: instance.hostPorts,
    template: revision.template,
  }
}

/** Everything that the node's agent is to have. */
export function fullSet(view: ClusterView, node: string): Assignment[] {
  const assignments: Assignment[] = []
  for (const instance of view.instancesOn(node)) {
    const assignment = assignmentOf(view, instance)
    if (assignment) assignments.push(assignment)
  }
  return assignments
}

export interface Delta {
  readonly upserts: readonly Assignment[]
  readonly removes: readonly string[]
}

/**
 * What commits mean for each node's agent: only what the control plane owns counts. Taken from the commits, which
 * are durable, and not from the view, which may be ahead of the disk.
 */
export function deltasOf(view: ClusterView, commits: readonly Commit[]): Map<string, Delta> {
  const touched = new Map<string, Map<string, Instance | undefined>>()
  for (const commit of commits) {
    for (const change of commit.changes) {
      if (change.kind !== 'instance' || !concernsAgent(change.before, change.after)) continue
      const node = change.after?.node ?? change.before?.node
      if (node === undefined || node === null) continue
      let instances = touched.get(node)
      if (!instances) touched.set(node, (instances = new Map()))
      instances.set(change.key, change.after)
    }
  }
  const deltas = new Map<string, Delta>()
  for (const [node, changes] of touched) {
    const upserts: Assignment[] = []
    const removes: string[] = []
    for (const [id, instance] of changes) {
      const assignment = instance ? assignmentOf(view, instance) : null
      if (assignment) upserts.push(assignment)
      else removes.push(id)
    }
    deltas.set(node, { upserts, removes })
  }
  return deltas
}

function concernsAgent(before: Instance | undefined, after: Instance | undefined): boolean {
  if (!before || !after) return true
  return (
    before.node !== after.node ||
    orderOf(before) !== orderOf(after) ||
    before.lostAtMs !== after.lostAtMs ||
    isGone(before) !== isGone(after)
  )
}
