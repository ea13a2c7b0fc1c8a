import type { Instance } from '@bulkhead/shared'

import { instancesOf, oldInstancesOf } from '../../rollout/core/stages.ts'
import type { Plan } from './plan.ts'
import type { Slot } from './roster.ts'

/** Live, and not lost with its node. */
const isThere = (plan: Plan, instance: Instance): boolean =>
  plan.needs.get(instance.id)?.kind !== 'lost'

export const newIn = (plan: Plan, slot: Slot): readonly Instance[] =>
  plan.roster.lives(slot).filter((one) => plan.situation.isCurrent(one) && isThere(plan, one))

/** Of the old revision, without what an unfinished rollout has left. */
export const oldIn = (plan: Plan, slot: Slot): readonly Instance[] =>
  plan.roster
    .lives(slot)
    .filter((one) => plan.situation.sideOf(one) === 'old' && isThere(plan, one))

const count = (plan: Plan, having: (plan: Plan, slot: Slot) => readonly Instance[]): number =>
  plan.roster.wantedSlots.filter((slot) => having(plan, slot).length > 0).length

export const countNew = (plan: Plan): number => count(plan, newIn)
export const countOld = (plan: Plan): number => count(plan, oldIn)

/** How many slots are to have an instance of the new revision now. */
export function newWanted(plan: Plan): number {
  const { shift, wanted } = plan.situation
  if (shift === null) return 0
  const most = instancesOf(shift.stage, wanted.spec)
  // A rollout that rests on its way to a step stays as far as it has come.
  return plan.held && shift.shift.reachedAtMs === null ? Math.min(countNew(plan), most) : most
}

/**
 * How many slots are to have one of the old revision: what its share needs, as far as there is room beside the new
 * ones and the one that is to come next.
 */
export function oldWanted(plan: Plan): number {
  const { replicas, surge, share } = plan.situation
  const news = countNew(plan)
  const room = replicas + surge - Math.max(news, Math.min(news + 1, newWanted(plan)))
  return Math.min(oldInstancesOf(share ?? 100, replicas), Math.max(room, 0))
}
