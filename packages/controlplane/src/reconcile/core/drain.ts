import { listed, shownTime } from '@bulkhead/shared'

import type { Plan } from './plan.ts'
import { replace, replacements, type Replacement } from './replace.ts'

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

/** What an operator can do about an instance that may not move. */
function remedyFor(
  { situation }: Plan,
  { instance, need }: Replacement,
  roomWithout: boolean,
): string {
  const ways = ['add a node that fits']
  if (roomWithout) ways.push('let update.maxUnavailable be at least 1')
  const dueAtMs = situation.nodeOf(instance)?.drainDueAtMs ?? null
  if (need.kind !== 'drain') ways.push('relax the placement')
  else if (dueAtMs === null) ways.push('drain with a --deadline')
  const inAnyCase = dueAtMs === null ? '' : `; it is stopped at ${shownTime(dueAtMs)} in any case`
  return listed(ways, 'or') + inAnyCase
}

/**
 * Moves what is on draining nodes or where a rule no longer lets it be, within the update policy's
 * budget.
 */
export function moveAway(plan: Plan): void {
  const { floor, replicas } = plan.situation
  for (const replacement of [...replacements(plan, 'violation'), ...replacements(plan, 'drain')]) {
    const { slot, need } = replacement
    const outcome = replace(plan, replacement, floor)
    // Without the instance, so that slots that stay for the same reason are told together.
    const subject = `must move, as ${need.text}`
    if (outcome.kind !== 'stuck') {
      plan.hinder(slot.index, 'progressing', subject)
      continue
    }
    const { reason, roomWithout } = outcome
    const limit = roomWithout ? ` and ${floor} of ${replicas} must stay available` : ''
    // With a budget, its turn comes when the others are available.
    const level = roomWithout && floor < replicas ? 'progressing' : 'blocked'
    const remedy = level === 'blocked' ? `; ${remedyFor(plan, replacement, roomWithout)}` : ''
    plan.hinder(slot.index, level, `${subject}: ${reason}${limit}${remedy}`)
  }
}
