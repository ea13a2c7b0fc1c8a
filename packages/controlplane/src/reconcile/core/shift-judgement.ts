import { formatDuration, type Instance } from '@bulkhead/shared'

import { analysisOf, instancesOf, type ActiveShift } from '../../rollout/core/stages.ts'
import type { TrafficSum } from './context.ts'
import type { Plan } from './plan.ts'

/** New instances may be unhealthy for so long before that is held against their revision. */
const sickForMs = 10_000

/** What the new revision's instances have answered since the step began, gone ones too; null: nothing is known. */
export function trafficOfStep(plan: Plan, { shift }: ActiveShift): TrafficSum | null {
  const { situation, roster } = plan
  const instances = roster.slots.flatMap((slot) =>
    slot.instances.filter((one) => situation.isCurrent(one)),
  )
  const { trafficOf } = situation.context
  return (
    trafficOf?.(
      instances.map(({ id }) => id),
      shift.sinceMs,
    ) ?? null
  )
}

/** Why the traffic that a rollout has moved has to go back; null when there is nothing to say against it. */
export function misbehaviour(plan: Plan): string | null {
  const { shift } = plan.situation
  if (shift === null) return null
  return tooManyErrors(plan, shift) ?? sickForLong(plan, shift)
}

export const shownRate = ({ requests, errors }: TrafficSum): string =>
  `${Math.round((errors * 10_000) / Math.max(requests, 1)) / 100} %`

function tooManyErrors(plan: Plan, shift: ActiveShift): string | null {
  const traffic = trafficOfStep(plan, shift)
  const { maxErrorPercent, minRequests } = analysisOf(plan.situation.wanted.spec.update)
  if (traffic === null || traffic.requests < minRequests) return null
  const { requests, errors } = traffic
  if (errors * 100 <= maxErrorPercent * requests) return null
  return `${shownRate(traffic)} of ${requests} requests to revision ${shift.rollout.to} have failed, more than ${maxErrorPercent} %`
}

function sickForLong(plan: Plan, { shift, rollout }: ActiveShift): string | null {
  const { sickSinceMs } = shift
  if (sickSinceMs === null || plan.situation.nowMs < sickSinceMs + sickForMs) return null
  const sick = sickInstance(plan)
  if (sick === null) return null
  const why = sick.observed.reason === '' ? '' : `: ${sick.observed.reason}`
  return `${sick.id} of revision ${rollout.to} has not been healthy for ${formatDuration(sickForMs)}${why}`
}

/**
 * An instance for whose sake the new revision has fewer healthy ones than the step before has reached, while there is
 * an old one that serves; null when all is well, or when it is the nodes' fault.
 */
export function sickInstance(plan: Plan): Instance | null {
  const { situation, roster } = plan
  const { shift, wanted } = situation
  if (shift === null) return null
  const reached =
    shift.shift.reachedAtMs === null ? shift.stages[shift.shift.step - 1] : shift.stage
  if (reached === undefined) return null
  const lives = roster.wantedSlots.flatMap((slot) => roster.lives(slot))
  const isOldServing = lives.some((one) => !situation.isCurrent(one) && situation.serves(one))
  const news = lives.filter((one) => situation.isCurrent(one))
  const healthy = news.filter((one) => situation.serves(one)).length
  if (!isOldServing || healthy >= instancesOf(reached, wanted.spec)) return null
  return news.find((one) => isToBlame(plan, one)) ?? null
}

/** It runs and is unhealthy, or has been started anew after a failure, on a node that is well. */
function isToBlame({ situation }: Plan, instance: Instance): boolean {
  if (situation.serves(instance) || situation.nodeOf(instance)?.liveness !== 'ready') return false
  return instance.observed.health === 'unhealthy' || instance.attempt > 0
}

/** Since when it has been so; null when it is not so now. */
export function sickSince(plan: Plan, { shift }: ActiveShift): number | null {
  if (sickInstance(plan) === null) return null
  const { nowMs } = plan.situation
  const sinceMs = Math.min(shift.sickSinceMs ?? nowMs, nowMs)
  plan.wake(sinceMs + sickForMs)
  return sinceMs
}
