import {
  findDependencyCycle,
  resolveServiceName,
  type DocumentProblem,
  type ServiceKey,
  type ServiceSpec,
} from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import { exposureProblems } from './exposure-problems.ts'

interface Candidate {
  readonly document: number
  readonly key: ServiceKey
  readonly spec: ServiceSpec
}

/** What is wrong with documents only in the light of the cluster: its zones and its other services. */
export function clusterProblems(view: ClusterView, candidates: readonly Candidate[]): DocumentProblem[] {
  const problems: DocumentProblem[] = []
  const known = Object.keys(view.zones.zones).join(', ')
  for (const { document, spec } of candidates) {
    const zone = Object.hasOwn(view.zones.zones, spec.zone) ? view.zones.zones[spec.zone] : undefined
    if (!zone) {
      problems.push({ document, path: '/zone', message: `zone ${spec.zone} is not declared; the zones are ${known}` })
    } else if (spec.expose.length > 0 && !zone.edge) {
      problems.push({ document, path: '/expose', message: `only a service in an edge zone may be exposed; ${spec.zone} is not one` })
    }
  }
  problems.push(...exposureProblems(view, candidates))
  if (candidates.some(({ spec }) => spec.dependsOn.length > 0)) {
    problems.push(...dependencyProblems(view, candidates))
  }
  return problems
}

function dependencyProblems(view: ClusterView, candidates: readonly Candidate[]): DocumentProblem[] {
  const edges = new Map<ServiceKey, ServiceKey[]>()
  for (const service of view.services.values()) {
    const spec = view.revisionOf(service.key, service.revision)?.spec
    if (spec && !service.deleting) edges.set(service.key, dependencies(service.key, spec))
  }
  for (const { key, spec } of candidates) edges.set(key, dependencies(key, spec))
  const problems: DocumentProblem[] = []
  for (const { document, key, spec } of candidates) {
    for (const [index, name] of spec.dependsOn.entries()) {
      if (edges.has(resolveServiceName(name, key))) continue
      problems.push({ document, path: `/dependsOn/${index}`, message: `there is no service ${resolveServiceName(name, key)} to depend on` })
    }
  }
  const cycle = findDependencyCycle(edges)
  const inCycle = candidates.find(({ key }) => cycle?.includes(key))
  if (cycle && inCycle) {
    problems.push({ document: inCycle.document, path: '/dependsOn', message: `the dependencies form a circle: ${cycle.join(' → ')}` })
  }
  return problems
}

const dependencies = (key: ServiceKey, spec: ServiceSpec): ServiceKey[] =>
  spec.dependsOn.map((name) => resolveServiceName(name, key))
