import type { ServiceSpec } from '@bulkhead/shared'

/**
 * How many instances must serve through whatever we do, and so how many are enough for all traffic. An exclusive slot
 * can only be moved by stopping first: to forbid that would forbid every move.
 */
export function floorOf({ replicas, exclusive, update }: ServiceSpec): number {
  const unavailable = exclusive ? Math.max(update.maxUnavailable, 1) : update.maxUnavailable
  return Math.max(replicas - unavailable, 0)
}
