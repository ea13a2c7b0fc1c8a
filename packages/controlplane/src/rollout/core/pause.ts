import { BulkheadError, type Rollout, type Service, type TrafficShift } from '@bulkhead/shared'

import type { Transaction } from '../../state/view.ts'

/** The open rollout of the service. Throws BulkheadError `conflict` when there is none. */
export function openRollout(tx: Transaction, service: Service): Rollout {
  const rollout = tx.openRolloutOf(service.key)
  if (rollout) return rollout
  throw new BulkheadError('conflict', `no rollout of service ${service.key} is under way`, `see \`bulkhead rollout history ${service.name}\``)
}

/** Stops a rollout where it is; failures are still answered. Throws BulkheadError `conflict`. */
export function pauseRollout(tx: Transaction, service: Service): void {
  const rollout = openRollout(tx, service)
  if (rollout.phase === 'paused') return
  const text = `paused by ${tx.actor}`
  tx.putRollout({ ...rollout, phase: 'paused', reason: text, dueAtMs: null, history: [...rollout.history, { atMs: tx.nowMs, text }].slice(-50) })
  tx.event({ kind: 'Rollout', subject: rollout.id, action: 'paused', reason: text })
}

/** Lets a paused rollout go on, with its progress deadline starting anew. Throws BulkheadError `conflict`. */
export function resumeRollout(tx: Transaction, service: Service): void {
  const rollout = openRollout(tx, service)
  if (rollout.phase !== 'paused') {
    throw new BulkheadError('conflict', `the rollout of service ${service.key} is not paused`, 'there is nothing to resume')
  }
  const deadlineMs = tx.revisionOf(service.key, rollout.to)?.spec.update.progressDeadlineMs ?? 0
  const text = `resumed by ${tx.actor}`
  tx.putRollout({
    ...rollout,
    phase: 'progressing',
    reason: text,
    progressAtMs: tx.nowMs,
    dueAtMs: tx.nowMs + deadlineMs,
    ...(rollout.shift ? { shift: begunAgain(rollout.shift, tx.nowMs) } : {}),
    history: [...rollout.history, { atMs: tx.nowMs, text }].slice(-50),
  })
  tx.event({ kind: 'Rollout', subject: rollout.id, action: 'resumed', reason: text })
}

/** The step lasts from now on, and what was held against the new revision before is forgotten. */
function begunAgain(shift: TrafficShift, nowMs: number): TrafficShift {
  return { ...shift, sinceMs: nowMs, reachedAtMs: null, dueAtMs: null, sickSinceMs: null }
}
