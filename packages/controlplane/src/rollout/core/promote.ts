import { BulkheadError, type Service } from '@bulkhead/shared'

import type { Transaction } from '../../state/view.ts'
import { advance } from './new-revision.ts'
import { openRollout } from './pause.ts'
import { activeShift } from './stages.ts'

/**
 * Lets the present step of a rollout be over as soon as it is reached, and a paused one go on; `full`: all steps up to
 * the last one too. Throws BulkheadError `conflict`.
 */
export function promoteRollout(tx: Transaction, service: Service, full: boolean): void {
  const rollout = openRollout(tx, service)
  const wanted = tx.revisionOf(service.key, service.revision)
  const active = wanted && activeShift(rollout, wanted.spec)
  if (!wanted || !active) {
    throw new BulkheadError(
      'conflict',
      `service ${service.key} has no rollout that waits to be promoted`,
      'only a canary or blue-green rollout can be promoted',
    )
  }
  const { shift, stages, isLast } = active
  const { nowMs } = tx
  const leap = { step: stages.length - 1, sinceMs: nowMs, reachedAtMs: null, dueAtMs: null }
  const next = { ...shift, ...(full && !isLast ? leap : {}), promoted: true }
  const { progressDeadlineMs } = wanted.spec.update
  const reason = `promoted by ${tx.actor}${full ? ' to the end' : ''}`
  const dueAtMs = progressDeadlineMs === 0 ? null : nowMs + progressDeadlineMs
  const change = {
    phase: 'progressing',
    reason,
    progressAtMs: nowMs,
    dueAtMs,
    shift: next,
  } as const
  tx.putRollout(advance(tx, rollout, change))
  tx.event({ kind: 'Rollout', subject: rollout.id, action: 'promoted', reason })
}
