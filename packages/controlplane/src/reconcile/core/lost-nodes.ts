import type { Instance, Revision } from '@bulkhead/shared'

import type { Plan } from './plan.ts'
import { beginningOf } from './replace-failed.ts'
import type { Slot } from './roster.ts'
import { fencing } from './scale.ts'
import { revisionAfter } from './slots.ts'

/**
 * Replaces what was lost with its node: given up and created anew elsewhere in one go, and only
 * when there is a place. An exclusive instance is given up only when the lease of its node has
 * provably ended, or an operator has vouched for the node's death.
 */
export function replaceLost(plan: Plan, slot: Slot, following?: Revision): void {
  const lives = plan.roster.lives(slot)
  if (lives.length === 0 || !lives.every((one) => plan.needs.get(one.id)?.kind === 'lost')) return
  const last = lives.at(-1)
  if (last === undefined || isFenced(plan, slot, last)) return
  const revision = following ?? revisionAfter(plan, last)
  const beginning = beginningOf(plan, slot, revision)
  if (beginning === null) return
  const { avoid, predecessor, attempt, startAtMs } = beginning
  const placed = plan.batch(revision).place({ id: plan.nextId(slot.index), avoid })
  const lost = plan.needs.get(last.id)?.text ?? ''
  if (!placed.fits) {
    plan.hinder(slot.index, 'degraded', `${lost} with ${last.id}; ${placed.reason}`)
    return
  }
  for (const one of lives) plan.giveUp(one, lost)
  const { node, hostPorts } = placed
  const reason = `replaces ${last.id}: ${lost}`
  const common = { slot: slot.index, revision, predecessor, attempt, startAtMs }
  plan.create({ ...common, node, hostPorts, reason })
}

function isFenced(plan: Plan, slot: Slot, lost: Instance): boolean {
  if (!plan.situation.wanted.spec.exclusive) return false
  const node = plan.situation.nodeOf(lost)
  const fenced = fencing(plan, slot)
  if (fenced === null && (node?.confirmedDead !== false || plan.situation.isFenced(lost))) {
    return false
  }
  plan.wake(plan.situation.fencedAtMs(lost))
  const rule =
    'the service is exclusive, so that it is replaced when the lease of the node has ended, or the node is back or confirmed dead'
  plan.hinder(
    slot.index,
    'degraded',
    fenced ?? `node ${lost.node ?? ''} is lost with ${lost.id}: ${rule}`,
  )
  return true
}
