import type { ServiceKey } from '../ids.ts'

interface Step {
  readonly key: ServiceKey
  readonly rest: Iterator<ServiceKey>
}

/**
 * A cycle among the edges, from what depends to what it depends on: its first key is repeated at its end, and
 * is the smallest of them. Null when there is none. Which cycle is found depends on nothing but the edges.
 */
export function findDependencyCycle(
  edges: ReadonlyMap<ServiceKey, readonly ServiceKey[]>,
): ServiceKey[] | null {
  const done = new Set<ServiceKey>()
  for (const start of [...edges.keys()].toSorted()) {
    const cycle = done.has(start) ? null : cycleFrom(start, edges, done)
    if (cycle) return rotated(cycle)
  }
  return null
}

function cycleFrom(
  start: ServiceKey,
  edges: ReadonlyMap<ServiceKey, readonly ServiceKey[]>,
  done: Set<ServiceKey>,
): ServiceKey[] | null {
  const stepTo = (key: ServiceKey): Step => ({
    key,
    rest: (edges.get(key) ?? []).toSorted()[Symbol.iterator](),
  })
  const trail: Step[] = [stepTo(start)]
  const onTrail = new Set<ServiceKey>([start])
  for (let step = trail.at(-1); step !== undefined; step = trail.at(-1)) {
    const next = step.rest.next()
    if (next.done) {
      trail.pop()
      onTrail.delete(step.key)
      done.add(step.key)
    } else if (onTrail.has(next.value)) {
      const keys = trail.map(({ key }) => key)
      return keys.slice(keys.indexOf(next.value))
    } else if (!done.has(next.value)) {
      trail.push(stepTo(next.value))
      onTrail.add(next.value)
    }
  }
  return null
}

function rotated(cycle: readonly ServiceKey[]): ServiceKey[] {
  const [first = ''] = cycle.toSorted()
  const from = cycle.indexOf(first)
  return [...cycle.slice(from), ...cycle.slice(0, from), first]
}
