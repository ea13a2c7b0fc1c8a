import { isGone, type Instance } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'

/**
 * Until when the order to stop the instance waits for traffic to leave it; null when nobody can have sent it any. Who
 * offers ports and has run may be in a table that somebody still goes by.
 */
export function withdrawDueAtMs(view: ClusterView, instance: Instance, nowMs: number): number | null {
  if (instance.node === null || isGone(instance) || instance.observed.startedAtMs === null) return null
  const template = view.revisionOf(instance.service, instance.revision)?.template
  if (!template || template.stop.drainMs === 0) return null
  return Object.keys(template.ports).length === 0 ? null : nowMs + template.stop.drainMs
}

/** What is known of the tables that one node goes by. */
export interface NodeTables {
  readonly name: string
  /** It cannot be said to send traffic any more. */
  readonly isGivenUp: boolean
  /** Revision of the last tables that it was sent in its session; null: it has none. */
  readonly sentRevision: number | null
  /** Revision of the tables that everything on it goes by. */
  readonly servedRevision: number
}

/**
 * Nodes that may still send traffic by tables older than `revision`, among those that get them; every change up to
 * `revision` has been sent to those that have a session.
 */
export function laggards(nodes: Iterable<NodeTables>, revision: number): string[] {
  const names: string[] = []
  for (const { name, isGivenUp, sentRevision, servedRevision } of nodes) {
    if (isGivenUp) continue
    const isUpToDate =
      sentRevision !== null && (servedRevision >= revision || servedRevision >= sentRevision)
    if (!isUpToDate) names.push(name)
  }
  return names
}
