import { type ServiceKey, resolveServiceName, serviceKey, splitServiceKey } from '../../ids.ts'
import { findDependencyCycle } from '../dependencies.ts'
import { pointerTo } from '../pointer.ts'
import type { ExternalServiceSource, ServiceSource, SpecSource } from '../source.ts'
import type { Problem } from './problem.ts'

/** A problem of one of several documents. */
export interface SetProblem extends Problem {
  readonly document: number
  /** The document that it clashes with. */
  readonly first?: number
}

/** A valid document and its place among those that were sent. */
export interface Placed {
  readonly index: number
  readonly document: SpecSource
}

const maxCycles = 10
const maxShownKeys = 16

const keyOf = (document: ServiceSource | ExternalServiceSource): ServiceKey =>
  serviceKey(document.environment ?? 'default', document.name)

function* duplicateProblems(placed: readonly Placed[]): Iterable<SetProblem> {
  const first = new Map<string, number>()
  for (const { index, document } of placed) {
    const isZones = document.kind === 'Zones'
    const key = isZones ? 'Zones' : keyOf(document)
    const before = first.get(key)
    if (before === undefined) {
      first.set(key, index)
      continue
    }
    const what = isZones ? 'the Zones of the cluster are' : `service ${key} is`
    const message = `${what} declared more than once`
    yield { document: index, path: isZones ? '/kind' : '/name', message, first: before }
  }
}

/** Names alone within one environment, NAME.ENVIRONMENT across. */
function shownCycle(cycle: readonly ServiceKey[]): string {
  const parts = cycle.map(splitServiceKey)
  const isLocal = new Set(parts.map(({ environment }) => environment)).size === 1
  const names = parts.map(({ environment, name }) => (isLocal ? name : `${name}.${environment}`))
  const left = names.length - maxShownKeys
  if (left > 0) names.splice(maxShownKeys - 1, left, `… ${left} more …`)
  return names.join(' → ')
}

function* cycleProblems(placed: readonly Placed[]): Iterable<SetProblem> {
  const services = new Map<ServiceKey, { readonly index: number; readonly uses: ServiceKey[] }>()
  for (const { index, document } of placed) {
    if (document.kind !== 'Service') continue
    const key = keyOf(document)
    const uses = (document.dependsOn ?? []).map((reference) => resolveServiceName(reference, key))
    if (!services.has(key)) services.set(key, { index, uses })
  }
  const edges = new Map([...services].map(([key, { uses }]) => [key, uses]))
  for (let found = 0; found < maxCycles; found++) {
    const cycle = findDependencyCycle(edges)
    if (!cycle) return
    const [key = '', next = ''] = cycle
    const { index = 0, uses = [] } = services.get(key) ?? {}
    const message = `services depend on each other in a circle: ${shownCycle(cycle)}`
    yield { document: index, path: pointerTo('dependsOn', uses.indexOf(next)), message }
    edges.delete(key)
  }
}

/** What is wrong with documents that are each valid, taken together. */
export const documentSetProblems = (placed: readonly Placed[]): SetProblem[] => [
  ...duplicateProblems(placed),
  ...cycleProblems(placed),
]
