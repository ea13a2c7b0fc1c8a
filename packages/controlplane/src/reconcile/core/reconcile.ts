import type { ServiceKey } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import type { ReconcileContext } from './context.ts'
import { deleteService } from './delete.ts'
import { moveAway, stopOverdue } from './drain.ts'
import { handOver } from './hand-over.ts'
import { trimHistory } from './history.ts'
import { replaceLost } from './lost-nodes.ts'
import { findNeeds } from './needs.ts'
import { Plan } from './plan.ts'
import { rebalance } from './rebalance.ts'
import { failRollout } from './rollout-failure.ts'
import { followRollout } from './rollout-progress.ts'
import { updateOutdated } from './rollout-step.ts'
import { fillSlot, stopSurplus } from './scale.ts'
import { growNew, keepSides } from './shift-instances.ts'
import { Situation } from './situation.ts'
import { assess, reportStatus } from './status.ts'
import type { Reconciled } from './step.ts'

/**
 * What is to be done for one service now, from the whole truth about it, in order; and when to look
 * again though nothing has happened. Pure: equal views and contexts give equal steps, and after its
 * own steps it gives none.
 *
 * First what needs no budget (surplus, finished replacements, empty slots, lost nodes), then what
 * does: instances that must leave their nodes before those that are only outdated.
 */
export function reconcile(
  view: ClusterView,
  key: ServiceKey,
  context: ReconcileContext,
): Reconciled {
  const service = view.services.get(key)
  const wanted = service && view.revisionOf(key, service.revision)
  if (!wanted) return { steps: [], dueAtMs: null, lacksRoom: false }
  const plan = new Plan(new Situation(view, service, wanted, context))
  if (service.deleting) {
    deleteService(plan)
    return plan.result
  }
  if (failRollout(plan)) return plan.result
  findNeeds(plan)
  stopOverdue(plan)
  stopSurplus(plan)
  if (plan.situation.shift === null) keepSlots(plan)
  else keepSides(plan)
  moveAway(plan)
  if (plan.situation.shift === null) updateOutdated(plan)
  else growNew(plan)
  followRollout(plan)
  const found = assess(plan)
  const moves = found.status === 'converged' && rebalance(plan)
  reportStatus(plan, moves ? assess(plan) : found)
  trimHistory(plan)
  return plan.result
}

function keepSlots(plan: Plan): void {
  for (const slot of plan.roster.wantedSlots) handOver(plan, slot)
  for (const slot of plan.roster.wantedSlots) {
    fillSlot(plan, slot)
    replaceLost(plan, slot)
  }
}
