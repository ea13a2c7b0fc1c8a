import type { Rollout } from '@bulkhead/shared'

import { waitsForOthers } from './dependencies.ts'
import type { Plan } from './plan.ts'
import { followShift } from './shift-progress.ts'
import { progressOf } from './updated.ts'

/**
 * Every slot is available with the wanted template, and nothing of another one is wanted any more.
 */
export function isComplete(plan: Plan): boolean {
  if (progressOf(plan).updated < plan.situation.replicas) return false
  return plan.roster.slots.every((slot) =>
    plan.roster.lives(slot).every((instance) => plan.situation.isCurrent(instance)),
  )
}

/** Writes down how far the rollout has come, and that it has come to its end. */
export function followRollout(plan: Plan): void {
  const rollout = plan.rollout ?? failedRollout(plan)
  if (rollout === undefined) return
  const { situation } = plan
  if (situation.shift !== null && situation.replicas > 0) {
    if (plan.rollout !== undefined) followShift(plan, { ...situation.shift, rollout })
    return
  }
  const { updated, lastAtMs } = progressOf(plan)
  const reason = `${updated} of ${situation.replicas} updated`
  const reachedAtMs = Math.max(rollout.progressAtMs, lastAtMs)
  const dropped = situation.goesWithoutSteps ? { shift: null } : {}
  if (isComplete(plan)) {
    if (provesNothing(plan, rollout)) {
      const end = { phase: 'superseded', progressAtMs: reachedAtMs, dueAtMs: null } as const
      const why = 'scaled to no replicas before all were updated'
      plan.moveRollout(rollout, { ...end, reason: why, note: why })
      return
    }
    const end = { phase: 'completed', progressAtMs: reachedAtMs, dueAtMs: null } as const
    plan.moveRollout(rollout, { ...end, ...dropped, reason, note: `completed: ${reason}` })
    return
  }
  plan.wakeWhenAvailable()
  if (rollout.phase !== 'progressing') return
  const waits = waitsForOthers(plan)
  const deadlineMs = situation.wanted.spec.update.progressDeadlineMs
  // Without a due time it has just been resumed, or what it waited for has just come: the time
  // starts anew.
  const restarts = rollout.dueAtMs === null && deadlineMs > 0 && !waits
  const progressAtMs = restarts ? situation.nowMs : reachedAtMs
  const dueAtMs = waits || deadlineMs === 0 ? null : progressAtMs + deadlineMs
  plan.wake(dueAtMs)
  const note = noteOf(plan, rollout, reachedAtMs, reason)
  const text = waits ? 'waits for other services' : reason
  const same =
    note === null &&
    text === rollout.reason &&
    dueAtMs === rollout.dueAtMs &&
    progressAtMs === rollout.progressAtMs
  if (same) return
  plan.moveRollout(rollout, {
    phase: 'progressing',
    progressAtMs,
    dueAtMs,
    reason: text,
    note,
    ...dropped,
  })
}

/**
 * A rollout that had nothing to go back to may still come to its end; only then is its content
 * known as good.
 */
export function failedRollout({ situation }: Plan): Rollout | undefined {
  const { view, key, wanted, replicas } = situation
  if (replicas === 0) return undefined
  const last = view
    .rolloutsOf(key)
    .toSorted((a, b) => a.to - b.to)
    .at(-1)
  if (last?.phase !== 'failed') return undefined
  const target = view.revisionOf(key, last.to)
  return target?.templateHash === wanted.templateHash ? last : undefined
}

/**
 * Of no replicas all are updated, whatever the content is: it must not count as good for that. A revision that never
 * wanted any says so itself.
 */
function provesNothing({ situation: { view, key, replicas } }: Plan, { to }: Rollout): boolean {
  return replicas === 0 && (view.revisionOf(key, to)?.spec.replicas ?? 0) > 0
}

function noteOf(plan: Plan, rollout: Rollout, reachedAtMs: number, reason: string): string | null {
  const notes: string[] = []
  if (plan.situation.goesWithoutSteps)
    notes.push('nothing of the old revision is healthy: goes on without steps')
  if (reachedAtMs > rollout.progressAtMs) notes.push(reason)
  const { rolloutNote } = plan
  // Told once: the reason of every stop says it again.
  const told = rollout.history.some(({ text }) => text.includes('goes stop-first'))
  if (rolloutNote !== null && !told) notes.push(rolloutNote)
  return notes.length === 0 ? null : notes.join('; ')
}
