import type { Instance, Revision } from '@bulkhead/shared'

import type { Plan } from './plan.ts'
import type { Slot } from './roster.ts'

/** Fit to stay, as far as we want: not lost, outdated, out of place or to be drained. */
const isSound = (plan: Plan, { id }: Instance): boolean => !plan.needs.get(id)

/**
 * The live instance that the slot is to keep: the newest sound one that has a node, else a sound
 * pending one. Null when the slot is empty or everything in it needs replacing.
 */
export function keeperOf(plan: Plan, slot: Slot): Instance | null {
  const sound = plan.roster.lives(slot).filter((instance) => isSound(plan, instance))
  return sound.findLast(({ node }) => node !== null) ?? sound.at(-1) ?? null
}

/** The instance that serves best among several, of equals one of the wanted revision. */
export function bestOf(plan: Plan, instances: readonly Instance[]): Instance | null {
  const { situation } = plan
  const rank = (instance: Instance): number => {
    const own = situation.isCurrent(instance) ? 1 : 0
    if (situation.isAvailable(instance)) return 6 + own
    if (situation.serves(instance)) return 4 + own
    return (situation.nodeOf(instance)?.liveness === 'ready' ? 2 : 0) + own
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
