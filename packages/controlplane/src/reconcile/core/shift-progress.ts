import { shownTime, type TrafficShift } from '@bulkhead/shared'

import { analysisOf, type ActiveShift } from '../../rollout/core/stages.ts'
import type { Plan } from './plan.ts'
import { newWanted } from './shift-counts.ts'
import { shownRate, sickSince, trafficOfStep } from './shift-judgement.ts'
import { progressOf } from './updated.ts'

interface Next {
  readonly shift: TrafficShift
  readonly note: string | null
}

/** Takes a rollout that moves traffic by steps to its next step when it is time, and writes down where it stands. */
export function followShift(plan: Plan, active: ActiveShift): void {
  plan.wakeWhenAvailable()
  const { situation } = plan
  const { rollout } = active
  if (rollout.phase !== 'progressing') return
  const next = nextOf(plan, active)
  const { shift } = next
  const now = { ...active, shift }
  const { lastAtMs } = progressOf(plan)
  // However long a step has lasted, what comes after it has its whole time.
  const isPassed = shift.done || shift.step > active.shift.step
  const passedAtMs = isPassed ? situation.nowMs : (shift.reachedAtMs ?? 0)
  const progressAtMs = Math.max(rollout.progressAtMs, lastAtMs, passedAtMs)
  const deadlineMs = situation.wanted.spec.update.progressDeadlineMs
  const fromMs = waitsFromMs(now, progressAtMs)
  const dueAtMs = deadlineMs === 0 || fromMs === null ? null : fromMs + deadlineMs
  plan.wake(dueAtMs)
  plan.wake(shift.dueAtMs)
  const reason = whereOf(plan, now)
  const notes = [next.note, isTold(rollout, plan.rolloutNote) ? null : plan.rolloutNote].filter(
    (note) => note !== null,
  )
  const note = notes.length > 0 ? notes.join('; ') : null
  const same =
    note === null &&
    reason === rollout.reason &&
    dueAtMs === rollout.dueAtMs &&
    progressAtMs === rollout.progressAtMs &&
    JSON.stringify(shift) === JSON.stringify(active.shift)
  if (same) return
  plan.moveRollout(rollout, { phase: 'progressing', progressAtMs, dueAtMs, reason, shift, note })
}

const isTold = ({ history }: ActiveShift['rollout'], note: string | null): boolean =>
  note !== null && history.some(({ text }) => text.includes('goes stop-first'))

function nextOf(plan: Plan, active: ActiveShift): Next {
  const { shift, stage } = active
  const { nowMs } = plan.situation
  const { step } = shift
  const kept = {
    ...shift,
    sinceMs: Math.min(shift.sinceMs, nowMs),
    sickSinceMs: sickSince(plan, active),
  }
  const isThere = progressOf(plan).updated >= newWanted(plan)
  // After our own clock was set back, the step lasts from now on.
  const isReached = shift.reachedAtMs !== null && shift.reachedAtMs <= nowMs
  if (!isReached) {
    if (!isThere) return { shift: { ...kept, reachedAtMs: null, dueAtMs: null }, note: null }
    const { pauseMs } = plan.situation.context.rehearsal ? { pauseMs: 0 } : stage
    const dueAtMs = pauseMs === null ? null : nowMs + pauseMs
    const note = shift.reachedAtMs === null ? reachedNote(active) : null
    return { shift: { ...kept, weight: stage.weight, reachedAtMs: nowMs, dueAtMs }, note }
  }
  const isOver = shift.promoted || (shift.dueAtMs !== null && shift.dueAtMs <= nowMs)
  if (!isOver || !isThere) return { shift: kept, note: null }
  const note = passedNote(plan, active)
  if (active.isLast) return { shift: { ...kept, weight: 100, dueAtMs: null, done: true }, note }
  const begun = {
    step: step + 1,
    sinceMs: nowMs,
    reachedAtMs: null,
    dueAtMs: null,
    promoted: false,
  }
  return { shift: { ...kept, ...begun }, note }
}

/** From when on the progress deadline runs; null while somebody has to promote the step first. */
function waitsFromMs({ shift }: ActiveShift, progressAtMs: number): number | null {
  if (shift.reachedAtMs === null || shift.promoted || shift.done) {
    return Math.max(progressAtMs, shift.sinceMs)
  }
  if (shift.dueAtMs === null) return null
  return Math.max(shift.dueAtMs, progressAtMs)
}

const title = ({ shift, stages }: ActiveShift): string =>
  `step ${shift.step + 1} of ${stages.length}`

function reachedNote(active: ActiveShift): string {
  const { shift, stage, rollout } = active
  if (shift.strategy === 'canary') {
    return `${title(active)}: revision ${rollout.to} gets ${stage.weight} % of new traffic`
  }
  return stage.weight === 0
    ? `the new set is ready beside the old one`
    : `switched: revision ${rollout.to} gets all new traffic, the old set is kept`
}

/** What the step has shown. That somebody has promoted it, and who, stands in the history already. */
function passedNote(plan: Plan, active: ActiveShift): string | null {
  const { shift, stage } = active
  if (plan.situation.context.rehearsal || (stage.pauseMs === 0 && !shift.promoted)) return null
  if (stage.weight === 0) return shift.promoted ? null : 'its time is over'
  const what = shift.strategy === 'canary' ? title(active) : 'the old set is no longer kept'
  return `${what}: ${shift.promoted ? '' : 'its time is over; '}${judged(plan, active)}`
}

function judged(plan: Plan, active: ActiveShift): string {
  const traffic = trafficOfStep(plan, active) ?? { requests: 0, errors: 0 }
  const { minRequests } = analysisOf(plan.situation.wanted.spec.update)
  if (traffic.requests >= minRequests)
    return `${shownRate(traffic)} of ${traffic.requests} requests failed`
  return `only ${traffic.requests} of ${minRequests} requests were seen, so that errors were not judged`
}

/** Where it stands and what it waits for, for people. */
function whereOf(plan: Plan, active: ActiveShift): string {
  const { shift, stage } = active
  const { updated } = progressOf(plan)
  if (shift.done) return `${updated} of ${plan.situation.replicas} updated`
  const wanted = newWanted(plan)
  const count = `${updated} of ${wanted} instances available`
  if (shift.reachedAtMs === null) return `${goalOf(active)}: ${count}`
  const isNewSet = stage.weight === 0
  const state = isNewSet ? 'the new set is ready' : `${shift.weight} % of new traffic`
  const where = shift.strategy === 'blue-green' ? state : `${title(active)}: ${state}`
  return where + untilOf(active) + (updated < wanted ? `; ${count}` : '')
}

function goalOf(active: ActiveShift): string {
  const { shift, stage } = active
  if (shift.strategy === 'canary') return `${title(active)} (${stage.weight} %)`
  return stage.weight === 0 ? 'the new set' : 'the switch'
}

function untilOf({ shift, stage }: ActiveShift): string {
  if (shift.promoted) return '; promoted'
  if (shift.dueAtMs === null) return '; waits for promote'
  const until = shownTime(shift.dueAtMs)
  const keepsOld = shift.strategy === 'blue-green' && stage.weight === 100
  return keepsOld ? `; the old set is kept until ${until}` : ` until ${until}`
}
