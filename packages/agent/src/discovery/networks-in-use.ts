import { splitServiceKey } from '@bulkhead/shared'

import type { Lineages } from '../core/accept.ts'
import { networkName } from '../core/network-name.ts'
import { ownership } from '../core/ownership.ts'
import type { Networks } from './networks.ts'

/** Discovery has to be there for containers that were made before this process began, too. Does not reject. */
export function ensureNetworks(lineages: Lineages, networks: Networks): void {
  for (const { environment, zone } of placesOf(lineages)) {
    networks.ensure(environment, zone).catch(() => {})
  }
}

/** Names of the networks that something is assigned to. */
export const networksInUse = (lineages: Lineages): ReadonlySet<string> =>
  new Set(placesOf(lineages).map(({ environment, zone }) => networkName(environment, zone)))

function placesOf(lineages: Lineages): readonly { environment: string; zone: string }[] {
  return [...lineages.values()].map(({ assignment }) => {
    const { environment } = splitServiceKey(assignment.service)
    return { environment, zone: assignment.template.zone }
  })
}

/** The network that a container or another network of ours with these labels belongs to. */
export const networkOfLabels = (labels: Readonly<Record<string, string>>): string =>
  networkName(labels[ownership.environment] ?? '', labels[ownership.zone] ?? '')
