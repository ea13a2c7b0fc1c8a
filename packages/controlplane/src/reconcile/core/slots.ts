import type { Instance, Revision } from '@bulkhead/shared'

import type { Plan } from './plan.ts'
import type { Slot } from './roster.ts'

/** Fit to stay, as far as we want: not lost, outdated, out of place or to be drained. */
const isSound = (plan: Plan, { id }: Instance): boolean => !plan.needs.get(id)

const isStray = ({ situation }: Plan, instance: Instance): boolean =>
  situation.sideOf(instance) === 'stray'

/**
 * The live instance that the slot is to keep: the newest sound one that has a node, rather not what an unfinished
 * rollout has left, else a sound pending one. Null when the slot is empty or everything in it needs replacing.
 */
export function keeperOf(plan: Plan, slot: Slot): Instance | null {
  const sound = plan.roster.lives(slot).filter((instance) => isSound(plan, instance))
  const placed = sound.filter(({ node }) => node !== null)
  return placed.findLast((one) => !isStray(plan, one)) ?? placed.at(-1) ?? sound.at(-1) ?? null
}

/**
 * The instance that serves best among several; of equals one of the wanted revision, and what an unfinished rollout
 * has left last: others cannot go for its sake, so that nothing would go on if it were to stay.
 */
export function bestOf(plan: Plan, instances: readonly Instance[]): Instance | null {
  const { situation } = plan
  const rank = (instance: Instance): number => {
    const own = { new: 2, old: 1, stray: 0 }[situation.sideOf(instance)]
    if (situation.isAvailable(instance)) return 9 + own
    if (situation.serves(instance)) return 6 + own
    return (situation.nodeOf(instance)?.liveness === 'ready' ? 3 : 0) + own
  }
  let best: Instance | null = null
  for (const instance of instances) {
    if (best === null || rank(instance) > rank(best)) best = instance
  }
  return best
}

/**
 * Which revision follows the instance in its slot: the wanted one, or while the rollout rests its
 * own.
 */
export function revisionAfter(plan: Plan, instance: Instance | undefined): Revision {
  const { situation } = plan
  if (instance === undefined || situation.isCurrent(instance)) return situation.wanted
  if (!plan.holds(instance)) return situation.wanted
  return situation.revisionLike(instance) ?? situation.wanted
}
