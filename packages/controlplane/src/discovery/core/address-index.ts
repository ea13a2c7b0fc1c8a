import { addressIndexes, spreadHash, type ServiceKey } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'

const { first, last } = addressIndexes
const size = last - first + 1

/**
 * A free place in the network of services; null when it is full. Where the search starts depends on the name, so
 * that a service that is deleted and made again is likely to have its address again, and no other one soon.
 */
export function freeAddressIndex(
  view: Pick<ClusterView, 'isAddressTaken'>,
  key: ServiceKey,
): number | null {
  const start = spreadHash(key) % size
  for (let offset = 0; offset < size; offset++) {
    const index = first + ((start + offset) % size)
    if (!view.isAddressTaken(index)) return index
  }
  return null
}
