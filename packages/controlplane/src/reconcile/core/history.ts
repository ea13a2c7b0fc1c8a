import { isGone, isOpen, type Instance, type Rollout } from '@bulkhead/shared'

import { defaultLimits, type HistoryLimits } from './context.ts'
import { completedHash, lastCompleted } from './good-revision.ts'
import type { Plan } from './plan.ts'
import { type Refusal, refusalsOf } from './refusals.ts'

/**
 * Drops what nobody needs any more: records of containers that are certainly gone, old revisions
 * and rollouts.
 */
export function trimHistory(plan: Plan): void {
  const limits = plan.situation.context.limits ?? defaultLimits
  forgetInstances(plan, limits)
  const rollouts = forgetRollouts(plan, limits)
  forgetRevisions(plan, limits, rollouts)
}

/**
 * Never placed ones leave no trace; the newest of the others stay for people, and for counting
 * failures, and what a node could not start for as long as nothing is moved there for it.
 */
function forgetInstances(plan: Plan, { gonePerSlot }: HistoryLimits): void {
  const refusals = plan.situation.context.rebalance.enabled ? refusalsOf(plan) : new Map<string, Refusal>()
  for (const slot of plan.roster.slots) {
    const gone = slot.instances.filter((instance) => isOver(plan, instance))
    const placed = gone.filter(({ node }) => node !== null)
    const kept = new Set(gonePerSlot > 0 ? placed.slice(-gonePerSlot) : [])
    for (const instance of gone) {
      if (kept.has(instance)) continue
      const refusal = refusals.get(instance.node ?? '')
      if (refusal?.instance === instance) plan.wake(refusal.untilMs)
      else plan.forget(instance)
    }
  }
}

function isOver({ situation }: Plan, instance: Instance): boolean {
  if (isGone(instance)) return true
  const unwanted = instance.desired === 'stop' || instance.lostAtMs !== null
  return unwanted && situation.nodeOf(instance)?.confirmedDead === true
}

/** Returns those that are kept. */
function forgetRollouts(plan: Plan, limits: HistoryLimits): readonly Rollout[] {
  const { view, key } = plan.situation
  const rollouts = view.rolloutsOf(key).toSorted((a, b) => a.to - b.to)
  const good = lastCompleted(view, key)
  const newest = new Set(rollouts.slice(-limits.rollouts))
  const isKept = (rollout: Rollout): boolean =>
    newest.has(rollout) || rollout.id === good?.id || isOpen(rollout)
  for (const rollout of rollouts) {
    if (!isKept(rollout)) plan.push({ kind: 'forget-rollout', id: rollout.id })
  }
  return rollouts.filter(isKept)
}

function forgetRevisions(plan: Plan, limits: HistoryLimits, rollouts: readonly Rollout[]): void {
  const { view, key, wanted } = plan.situation
  const revisions = view.revisionsOf(key)
  if (revisions.length <= limits.revisions) return
  const sorted = revisions.toSorted((a, b) => a.revision - b.revision)
  const used = new Set([wanted.revision])
  for (const { revision } of sorted.slice(-limits.revisions)) used.add(revision)
  for (const { instances } of plan.roster.slots)
    for (const { revision } of instances) used.add(revision)
  for (const { from, to } of rollouts) {
    if (from !== null) used.add(from)
    used.add(to)
  }
  const good = completedHash(view, key)
  const back = sorted.findLast(({ templateHash }) => templateHash === good)
  if (back) used.add(back.revision)
  for (const { revision } of sorted) {
    if (!used.has(revision)) plan.push({ kind: 'forget-revision', revision })
  }
}
