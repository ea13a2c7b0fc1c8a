import { templateHash, type Revision, type TrafficShift } from '@bulkhead/shared'

import { completedHash } from '../../reconcile/core/good-revision.ts'
import type { Transaction } from '../../state/view.ts'
import { strategyOf } from './stages.ts'

/**
 * How the rollout begins to move traffic; null when it replaces instances one after the other. That is also how a way
 * back is gone, which must not take longer than it has to, and a restart, which brings nothing new unless that is itself
 * under way; and nothing is put beside what has never been rolled out in full.
 */
export function beginsShift(
  tx: Transaction,
  before: Revision | null,
  after: Revision,
  goesBack: boolean,
): TrafficShift | null {
  const strategy = strategyOf(after.spec)
  const good = completedHash(tx, after.service)
  if (strategy === 'rolling' || goesBack || before === null || good === undefined) return null
  const open = tx.openRolloutOf(after.service)
  const returns = open !== undefined && good === after.templateHash
  const isUnproven = open?.shift && !open.shift.done
  if (returns || (isRestart(before, after) && !isUnproven)) return null
  return {
    strategy,
    step: 0,
    weight: 0,
    sinceMs: tx.nowMs,
    reachedAtMs: null,
    dueAtMs: null,
    promoted: false,
    sickSinceMs: null,
    done: false,
  }
}

function isRestart(before: Revision, after: Revision): boolean {
  const { generation } = before.template
  return templateHash({ ...after.template, generation }) === before.templateHash
}
