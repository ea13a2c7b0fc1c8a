import type { Changed } from '../../../packages/controlplane/src/state/view.ts'
import type { Records } from '../records.ts'
import type { MakeInvariant } from './invariant.ts'

function missing(records: Records, change: Changed): string | null {
  if (change.kind === 'instance' && change.after) {
    const { cause, node, desired, observed } = change.after
    if (cause === '')
      return node === null ? 'it is pending without a reason' : 'it is there without a cause'
    if (desired === 'stop' && cause === '') return 'it is stopped without a cause'
    if (observed.state === 'failed' && observed.reason === '') return 'it failed without a reason'
  }
  if (change.kind === 'service' && change.after) {
    const { status, reason } = change.after
    if (status !== 'converged' && reason === '') return `it is ${status} without a reason`
  }
  if (change.kind === 'rollout' && change.after) {
    const { phase, reason, dueAtMs, service, to } = change.after
    const deadlineMs = records.revision.get(`${service}@${to}`)?.spec.update.progressDeadlineMs ?? 0
    // What waits for another service has that service's deadline.
    const waits = reason === 'waits for other services' || reason.includes('waits for promote')
    if (phase === 'progressing' && dueAtMs === null && deadlineMs > 0 && !waits)
      return `it has no deadline: ${reason}`
    if (reason === '') return `it is ${phase} without a reason`
  }
  if (change.kind === 'node' && change.after) {
    const { liveness, livenessReason } = change.after
    if (liveness !== 'ready' && livenessReason === '') return `it is ${liveness} without a reason`
  }
  return null
}

/** Nothing waits, stands still or has failed without saying why, and no rollout waits without a deadline. */
export const reasons: MakeInvariant = (world) => ({
  name: 'reasons',
  onCommit(commit) {
    for (const change of commit.changes) {
      const problem = missing(world.records, change)
      if ('after' in change && change.after) world.count('reasons')
      if (problem !== null && 'key' in change)
        world.fail('reasons', `${change.kind} ${change.key}: ${problem}`)
    }
  },
})
