import { formatDuration, type Instance, type Revision, type Rollout } from '@bulkhead/shared'

import { waitsForOthers } from './dependencies.ts'
import { completedHash } from './good-revision.ts'
import type { Plan } from './plan.ts'
import { isComplete } from './rollout-progress.ts'
import { misbehaviour } from './shift-judgement.ts'
import { progressOf } from './updated.ts'

/** So many failures in a row of one slot's instances of the new template fail the rollout. */
const failuresAllowed = 3

/**
 * Ends the rollout when it has failed, by its `onFailure`: back to the newest content that was once
 * rolled out in full, or a pause. A rollout that is itself such a way back, or that has nothing to
 * go back to, just fails; the wanted state stays wanted. True when the service goes back: nothing
 * else is to be done in this round.
 */
export function failRollout(plan: Plan): boolean {
  const { rollout, situation } = plan
  if (rollout?.phase !== 'progressing' || situation.context.rehearsal) return false
  const reason = crashLoop(plan, rollout) ?? stall(plan, rollout) ?? misbehaviour(plan)
  if (reason === null) return false
  const { progressAtMs } = rollout
  const ended = { progressAtMs, dueAtMs: null, note: reason }
  if (situation.wanted.spec.update.onFailure === 'pause') {
    plan.moveRollout(rollout, { ...ended, phase: 'paused', reason })
    return false
  }
  const back = isWayBack(plan, rollout) ? null : lastGood(plan)
  if (back !== null) {
    const text = `${reason}; back to the content of revision ${back.revision}`
    plan.push({ kind: 'roll-back', to: back.revision, reason: text })
    return true
  }
  plan.moveRollout(rollout, { ...ended, phase: 'failed', reason })
  return false
}

function crashLoop(plan: Plan, rollout: Rollout): string | null {
  for (const slot of plan.roster.wantedSlots) {
    const current = slot.instances.filter((instance) => plan.situation.isCurrent(instance))
    const last = current.findLast(({ node }) => node !== null)
    if (last === undefined || plan.situation.isAvailable(last)) continue
    const failures = last.attempt + (last.observed.state === 'failed' ? 1 : 0)
    if (failures < failuresAllowed || lastFailureAtMs(plan, last) < rollout.progressAtMs) continue
    const previous = slot.instances.find(({ id }) => id === last.predecessor)
    const cause = last.observed.state === 'failed' ? last : previous
    const why = cause?.observed.reason ?? ''
    const text = `slot ${slot.index} has failed ${failures} times in a row`
    return why === '' ? text : `${text}: ${why}`
  }
  return null
}

function lastFailureAtMs({ situation: { nowMs } }: Plan, instance: Instance): number {
  if (instance.observed.state !== 'failed') return instance.createdAtMs
  return Math.max(instance.createdAtMs, Math.min(instance.observed.finishedAtMs ?? nowMs, nowMs))
}

function stall(plan: Plan, rollout: Rollout): string | null {
  const { situation } = plan
  const { progressDeadlineMs } = situation.wanted.spec.update
  if (progressDeadlineMs === 0 || rollout.dueAtMs === null) return null
  if (waitsForOthers(plan) || isComplete(plan)) return null
  const { updated, lastAtMs } = progressOf(plan)
  if (isPausing(situation)) return null
  const { sinceMs = 0, dueAtMs = null } = situation.shift?.shift ?? {}
  const progressAtMs = Math.max(rollout.progressAtMs, lastAtMs, sinceMs, dueAtMs ?? 0)
  if (situation.nowMs < progressAtMs + progressDeadlineMs) return null
  const since = formatDuration(progressDeadlineMs)
  return `no progress within ${since}: ${updated} of ${situation.replicas} updated`
}

/** Traffic is where the step wants it, and the step is not over yet. */
function isPausing({ shift, nowMs }: Plan['situation']): boolean {
  if (shift === null || shift.shift.reachedAtMs === null || shift.shift.promoted) return false
  const { dueAtMs } = shift.shift
  return dueAtMs === null || dueAtMs > nowMs
}

/** The way back from a rollout starts where that one was going. */
function isWayBack({ situation: { view, key } }: Plan, rollout: Rollout): boolean {
  return view
    .rolloutsOf(key)
    .some(({ to, phase }) => to === rollout.from && phase === 'rolled-back')
}

/**
 * The newest revision with the template that was last rolled out in full, or if none was, with one
 * that serves now. Null when there is none, or when that is the wanted template.
 */
function lastGood(plan: Plan): Revision | null {
  const { view, key, wanted } = plan.situation
  const revisions = view.revisionsOf(key).toSorted((a, b) => a.revision - b.revision)
  const hash = completedHash(view, key) ?? servingHash(plan)
  if (hash === undefined || hash === wanted.templateHash) return null
  const alike = revisions.filter(({ templateHash }) => templateHash === hash)
  return alike.findLast(({ revision }) => revision < wanted.revision) ?? null
}

function servingHash({ roster, situation }: Plan): string | undefined {
  const available = roster.slots.flatMap(({ instances }) =>
    instances.filter((one) => situation.isAvailable(one) && !situation.isCurrent(one)),
  )
  const newest = available.toSorted((a, b) => a.revision - b.revision).at(-1)
  return newest && situation.hashOf(newest)
}
