import type { DocumentProblem, ServiceKey, ServiceSpec } from '@bulkhead/shared'

import { offeredExposures, type OfferedExposure } from '../../discovery/core/offers.ts'
import type { ClusterView } from '../../state/view.ts'

interface Candidate {
  readonly document: number
  readonly key: ServiceKey
  readonly spec: ServiceSpec
}

/**
 * Places at the edge that two services of one environment want. Services of other environments may be exposed on
 * other nodes; where they are not, the node leaves out the later one and says so.
 */
export function exposureProblems(view: ClusterView, candidates: readonly Candidate[]): DocumentProblem[] {
  const exposing = candidates.filter(({ spec }) => spec.expose.length > 0)
  if (exposing.length === 0) return []
  const changed = new Set(candidates.map(({ key }) => key))
  const others: { key: ServiceKey; spec: ServiceSpec }[] = []
  for (const { key, revision, deleting } of view.services.values()) {
    const spec = changed.has(key) || deleting ? undefined : view.revisionOf(key, revision)?.spec
    if (spec && spec.expose.length > 0) others.push({ key, spec })
  }
  const problems: DocumentProblem[] = []
  for (const { document, key, spec } of exposing) {
    for (const [index, exposure] of offeredExposures(spec).entries()) {
      const other = others.find(
        (one) =>
          one.spec.environment === spec.environment &&
          offeredExposures(one.spec).some((taken) => contradicts(taken, exposure)),
      )
      if (!other) continue
      const message = `${other.key} is exposed on port ${exposure.listen} in a way that leaves no room for this`
      problems.push({ document, path: `/expose/${index}`, message })
    }
    others.push({ key, spec })
  }
  return problems
}

const contradicts = (a: OfferedExposure, b: OfferedExposure): boolean =>
  a.listen === b.listen &&
  (a.mode === 'tcp' ||
    b.mode === 'tcp' ||
    (a.tlsSecret === null) !== (b.tlsSecret === null) ||
    (a.host === b.host && a.path === b.path))
