import { isOpen, type Rollout, type TrafficShift } from '@bulkhead/shared'

import type { Records } from '../records.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

/** Errors may be on their way to the disk's turn when a step is judged. */
const lateRequests = 500

/** What the control plane has been told of the new revision since the step began. */
function toldOf({ records, controlPlane }: World, { service, to }: Rollout, { sinceMs }: TrafficShift) {
  const hash = records.revision.get(`${service}@${to}`)?.templateHash
  const ids = records
    .instancesOf(service)
    .filter((one) => records.revisionOf(one)?.templateHash === hash)
    .map(({ id }) => id)
  return controlPlane.running?.traffic.sum(ids, sinceMs) ?? { requests: 0, errors: 0 }
}

function problemOf(world: World, before: Rollout, after: Rollout): string | null {
  const [was, is] = [before.shift, after.shift]
  if (!was || was.done || !is) return null
  const isPassed = is.step > was.step || is.done
  if (!isPassed) return null
  const isOver = was.reachedAtMs !== null && was.dueAtMs !== null && was.dueAtMs <= world.controlHost.nowMs()
  if (!was.promoted && !is.promoted && !isOver) return `step ${was.step} was over before its time, and nobody had promoted it`
  if (is.promoted) return null
  const { requests, errors } = toldOf(world, before, was)
  const { maxErrorPercent = 100 } = wantedUpdate(world.records, before)?.analysis ?? {}
  if (requests < lateRequests || errors * 100 <= maxErrorPercent * requests) return null
  return `step ${was.step} was passed with ${errors} errors in ${requests} requests`
}

const wantedUpdate = (records: Records, { service }: Rollout) => records.wanted(service)?.spec.update

/** No rollout leaves a step ahead of its time without somebody's word, or with more errors than are allowed. */
export const steps: MakeInvariant = (world) => ({
  name: 'steps',
  onCommit(commit) {
    for (const change of commit.changes) {
      if (change.kind !== 'rollout' || !change.before || !change.after) continue
      const { before, after } = change
      const problem = problemOf(world, before, after)
      if (problem !== null) world.fail('steps', `${after.id}: ${problem}`)
      const early = after.phase === 'completed' && before.shift && !before.shift.done && after.shift
      const replicas = world.records.wanted(after.service)?.spec.replicas ?? 0
      if (early && !isOpen(after) && replicas > 0 && wantedUpdate(world.records, after)?.strategy === before.shift?.strategy) {
        world.fail('steps', `${after.id} has completed at step ${before.shift?.step}`)
      }
    }
  },
})
