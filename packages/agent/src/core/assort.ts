import { rolesOf, type Role } from './claims.ts'
import { type ContainerInfo, isAlive } from './container.ts'
import { isFinal, isUnwanted, type Lineage } from './lineage.ts'
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
  // Two containers of one instance, or a successor before its time, come about by somebody's hand only.
  const strays = next.filter(({ state }) => state !== 'created' && (isServed || isOver))
  return {
    container,
    prepared: next.find(({ state }) => state === 'created') ?? null,
    remains: [...new Set([...of('remains'), ...current.slice(1), ...strays])],
  }
}
