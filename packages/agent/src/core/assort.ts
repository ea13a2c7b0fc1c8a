import { rolesOf, type Role } from './claims.ts'
import { type ContainerInfo, isAlive } from './container.ts'
import { isFinal, isUnwanted, type Lineage, type Link } from './lineage.ts'
import type { LineageView } from './view.ts'

/** Which of the containers that bear a lineage's instances is what to it. */
export function assort(
  lineage: Lineage,
  ofInstance: (instance: string) => readonly ContainerInfo[],
): Pick<LineageView, 'container' | 'prepared' | 'remains'> {
  const roles = rolesOf(lineage)
  const of = (wanted: Role) =>
    roles.filter(([, role]) => role === wanted).flatMap(([id]) => ofInstance(id))
  const current = of('current').toSorted((a, b) => Number(isAlive(b)) - Number(isAlive(a)))
  const container = current[0] ?? null
  const next = of('prepared')
  const isServed = container !== null && isAlive(container)
  const isOver = isUnwanted(lineage) || isFinal(lineage.current)
  const begins = hasNotBegun(lineage.current, container)
  // Two containers of one instance, or a successor before its time, come about by somebody's hand, or by a process
  // before this one whose record is lost: what that one asked the engine to start may start yet.
  const strays = next.filter(({ state }) => begins || (state !== 'created' && (isServed || isOver)))
  const prepared = begins ? undefined : next.find(({ state }) => state === 'created')
  return {
    container,
    prepared: prepared ?? null,
    remains: [...new Set([...of('remains'), ...current.slice(1), ...strays])],
  }
}

/** True while nothing of the link can have run, so that nothing can have followed it either. */
function hasNotBegun(link: Link, container: ContainerInfo | null): boolean {
  if (container !== null) return container.state === 'created' && !isFinal(link)
  const { state } = link.observed
  return state === 'assigned' || state === 'pulling' || state === 'created'
}
