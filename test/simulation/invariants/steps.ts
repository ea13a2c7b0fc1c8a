import { isOpen, type Rollout, type TrafficShift } from '@bulkhead/shared'

import type { Records } from '../records.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

/** What is told within this time is counted together: of the last of it nobody can say whether it came in time. */
const countedTogetherMs = 1000

/** What the control plane had surely been told of the new revision in the step, when it was judged. */
function toldOf({ records, controlPlane }: World, after: Rollout, { sinceMs }: TrafficShift) {
  const { service, to, progressAtMs: judgedAtMs } = after
  const hash = records.revision.get(`${service}@${to}`)?.templateHash
  const ids = records
    .instancesOf(service)
    .filter((one) => records.revisionOf(one)?.templateHash === hash)
    .map(({ id }) => id)
  const { traffic } = controlPlane.running ?? {}
  const doubtfulFromMs = Math.max(judgedAtMs - countedTogetherMs, sinceMs)
  const [all, later] = [sinceMs, doubtfulFromMs].map((fromMs) => traffic?.sum(ids, fromMs))
  return {
    requests: (all?.requests ?? 0) - (later?.requests ?? 0),
    errors: (all?.errors ?? 0) - (later?.errors ?? 0),
  }
}

function problemOf(world: World, before: Rollout, after: Rollout): string | null {
  const [was, is] = [before.shift, after.shift]
  if (!was || was.done || !is) return null
  const isPassed = is.step > was.step || is.done
  if (!isPassed) return null
  // It is judged before it is on the disk, and the clock may have been set back since.
  const judgedAtMs = Math.max(after.progressAtMs, world.controlHost.nowMs())
  const isOver = was.reachedAtMs !== null && was.dueAtMs !== null && was.dueAtMs <= judgedAtMs
  if (!was.promoted && !is.promoted && !isOver) return `step ${was.step} was over before its time, and nobody had promoted it`
  if (is.promoted) return null
  const { requests, errors } = toldOf(world, after, was)
  const { maxErrorPercent = 100, minRequests = 0 } = wantedUpdate(world.records, before)?.analysis ?? {}
  if (requests < minRequests || errors * 100 <= maxErrorPercent * requests) return null
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
      const isPassed = before.shift && after.shift && after.shift.step > before.shift.step
      if (isPassed || after.shift?.done) world.count('steps')
      if (problem !== null) world.fail('steps', `${after.id}: ${problem}`)
      const early = after.phase === 'completed' && before.shift && !before.shift.done && after.shift
      const replicas = world.records.wanted(after.service)?.spec.replicas ?? 0
      // Old and new side by side take room for two.
      const isAlone = replicas + (wantedUpdate(world.records, after)?.maxSurge ?? 0) < 2
      if (early && !isOpen(after) && replicas > 0 && !isAlone && wantedUpdate(world.records, after)?.strategy === before.shift?.strategy) {
        world.fail('steps', `${after.id} has completed at step ${before.shift?.step}`)
      }
    }
  },
})
