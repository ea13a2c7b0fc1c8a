import type { Plan } from './plan.ts'
import { replace, replacements } from './replace.ts'

/**
 * When the deadline of a drain has passed, what is still on the node is stopped, place or no place.
 */
export function stopOverdue(plan: Plan): void {
  for (const slot of plan.roster.slots) {
    for (const instance of plan.roster.lives(slot)) {
      const node = plan.situation.nodeOf(instance)
      if (node?.liveness !== 'ready' || node.admittance !== 'draining') continue
      const { drainDueAtMs } = node
      if (drainDueAtMs === null) continue
      if (drainDueAtMs > plan.situation.nowMs) plan.wake(drainDueAtMs)
      else plan.stop(instance, `the deadline of the drain of node ${node.name} has passed`)
    }
  }
}

/**
 * Moves what is on draining nodes or where a rule no longer lets it be, within the update policy's
 * budget.
 */
export function moveAway(plan: Plan): void {
  const { floor, replicas } = plan.situation
  for (const replacement of [...replacements(plan, 'violation'), ...replacements(plan, 'drain')]) {
    const { slot, instance, need } = replacement
    const outcome = replace(plan, replacement, floor)
    const subject = `${need.text}, ${instance.id} must move`
    if (outcome.kind !== 'stuck') {
      plan.hinder(slot.index, 'progressing', subject)
      continue
    }
    const { reason, roomWithout } = outcome
    const limit = roomWithout ? ` and ${floor} of ${replicas} must stay available` : ''
    // With a budget, its turn comes when the others are available.
    const level = roomWithout && floor < replicas ? 'progressing' : 'blocked'
    plan.hinder(slot.index, level, `${subject}: ${reason}${limit}`)
  }
}
