import type { NodeFacts } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'

type Membership = Pick<NodeFacts, 'zones' | 'environments'>

/** Keys of the secrets that a node has a use for: certificates of what is exposed in its edge zones. In order. */
export function secretsNeeded(view: ClusterView, facts: Membership): readonly string[] {
  const needed = new Set<string>()
  for (const { key, environment, revision, deleting } of view.services.values()) {
    const spec = deleting ? undefined : view.revisionOf(key, revision)?.spec
    if (!spec || spec.expose.length === 0 || !isOfEdge(view, facts, spec.zone)) continue
    if (facts.environments.length > 0 && !facts.environments.includes(environment)) continue
    for (const { tlsSecret } of spec.expose) {
      if (tlsSecret) needed.add(`${environment}/${tlsSecret}`)
    }
  }
  return [...needed].toSorted()
}

const isOfEdge = (view: ClusterView, { zones }: Membership, zone: string): boolean =>
  zones.includes(zone) &&
  Object.hasOwn(view.zones.zones, zone) &&
  view.zones.zones[zone]?.edge === true
