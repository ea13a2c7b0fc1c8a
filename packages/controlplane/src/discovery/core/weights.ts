import { maxWeight, type Instance, type InstanceId, type Revision } from '@bulkhead/shared'

import { floorOf } from '../../rollout/core/floor.ts'
import { sidesOf, type Side } from '../../rollout/core/sides.ts'
import { activeShift, shareOf } from '../../rollout/core/stages.ts'
import type { ClusterView } from '../../state/view.ts'

/** Of endpoints that are all alike. */
export const evenWeight = 100

/**
 * The weights of the instances of a service that serve: the new revision gets its share of new traffic however many
 * instances each side has. What an unfinished rollout has left stands in for the old ones that are missing, and gets
 * nothing once there are as many as the update policy says are enough: so traffic goes back as capacity comes back,
 * and no few are sent what was meant for many. Who has no share gets it all the same when nobody else serves: anything
 * is better than nobody.
 */
export function weightsOf(
  view: ClusterView,
  wanted: Revision,
  serving: readonly Instance[],
): ReadonlyMap<InstanceId, number> {
  const side = sidesOf(view, wanted)
  const ids: Record<Side, string[]> = { new: [], old: [], stray: [] }
  for (const { id, revision } of serving) {
    ids[side(view.revisionOf(wanted.service, revision)?.templateHash)].push(id)
  }
  const weights = new Map<InstanceId, number>()
  const give = (to: readonly string[], values: readonly number[]): void => {
    for (const [index, id] of to.toSorted().entries()) weights.set(id, values[index] ?? 0)
  }
  const share = shareNow(view, wanted, ids.new.length)
  const strays = ids.stray.toSorted()
  give(strays, [])
  const missing = missingOf(floorOf(wanted.spec), share, {
    news: ids.new.length,
    olds: ids.old.length,
  })
  const olds = [...ids.old, ...strays.slice(0, missing)]
  if (share === null) {
    give([...ids.new, ...olds], even(ids.new.length + olds.length, evenWeight))
    return weights
  }
  const split = splitWeights(share, ids.new.length, olds.length)
  give(ids.new, split.new)
  give(olds, split.old)
  return weights
}

/** How many more the traffic needs than are there for it: all there are when nobody else is. */
function missingOf(
  floor: number,
  share: number | null,
  { news, olds }: { readonly news: number; readonly olds: number },
): number {
  if (news + olds === 0) return Infinity
  const bearing = (share === 0 ? 0 : news) + (share === 100 && news > 0 ? 0 : olds)
  return Math.max(floor - bearing, 0)
}

/** Null: the new revision has no share of its own. */
function shareNow(view: ClusterView, wanted: Revision, serving: number): number | null {
  const rollout = view.openRolloutOf(wanted.service)
  if (rollout?.shift?.done) return 100
  const active = activeShift(rollout, wanted.spec)
  return active && shareOf(active, { serving, replicas: wanted.spec.replicas })
}

const even = (count: number, weight: number): readonly number[] =>
  Array.from({ length: count }, () => weight)

/** A sum of weights over so many endpoints, as evenly as whole numbers can be. */
const spread = (count: number, sum: number): readonly number[] =>
  Array.from(
    { length: count },
    (_, index) => Math.floor(sum / count) + (index < sum % count ? 1 : 0),
  )

/**
 * Weights by which so many endpoints of the new revision together get `share` per cent beside so many of the old one.
 * The side whose endpoints get more each has the greatest weight, the other one what that leaves it: the share is
 * right within 0.2 percentage points, and a share that is not 0 is never nothing.
 */
export function splitWeights(
  share: number,
  newCount: number,
  oldCount: number,
): { readonly new: readonly number[]; readonly old: readonly number[] } {
  if (newCount === 0 || oldCount === 0) {
    return { new: even(newCount, evenWeight), old: even(oldCount, evenWeight) }
  }
  if (share <= 0) return { new: even(newCount, 0), old: even(oldCount, evenWeight) }
  if (share >= 100) return { new: even(newCount, evenWeight), old: even(oldCount, 0) }
  const rest = 100 - share
  if (share / newCount >= rest / oldCount) {
    const sum = Math.max(Math.round((maxWeight * newCount * rest) / share), 1)
    return { new: even(newCount, maxWeight), old: spread(oldCount, sum) }
  }
  const sum = Math.max(Math.round((maxWeight * oldCount * share) / rest), 1)
  return { new: spread(newCount, sum), old: even(oldCount, maxWeight) }
}
