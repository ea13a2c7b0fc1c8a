import type { Lineages } from '../core/accept.ts'
import { isAlive } from '../core/container.ts'
import { ownership } from '../core/ownership.ts'
import type { ContainerCache } from '../engine/container-cache.ts'
import type { LineageStore } from '../lineage-store.ts'
import { isWithin } from './core/address.ts'
import type { Bridge } from './core/bridge.ts'
import { publicationsOf, publicationsOfContainer } from './core/publications.ts'
import type { Surroundings } from './firewall.ts'

interface SurroundingsDeps {
  readonly store: Pick<LineageStore, 'find'> & { readonly all: Lineages }
  readonly containers: Pick<ContainerCache, 'all'>
  readonly bridges: readonly Bridge[]
  /** Where the node publishes ports. */
  readonly address: string
}

/** What is on the node, as far as the kernel has to know. */
export function surroundingsOf(deps: SurroundingsDeps): Surroundings {
  const { store, containers, bridges, address } = deps
  const assigned = [...store.all.values()].flatMap(({ assignment }) =>
    publicationsOf(assignment, address),
  )
  const all = containers.all()
  const unassigned = all
    .filter(({ labels }) => !store.find(labels[ownership.instance] ?? ''))
    .flatMap((container) => publicationsOfContainer(container, address))
  const fencedParts = bridges.flatMap((bridge) => bridge.fenced)
  const fenced = all.flatMap((container) => {
    const lineage = store.find(container.labels[ownership.instance] ?? '')
    const isExclusive = lineage?.assignment.template.exclusive ?? false
    if (!isExclusive || !isAlive(container) || container.address === '') return []
    const isFenced = fencedParts.some((part) => isWithin(container.address, part))
    return isFenced ? [] : [container.address]
  })
  return { bridges, publications: [...assigned, ...unassigned], fenced }
}
