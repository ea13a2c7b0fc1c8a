import type { Instance } from '@bulkhead/shared'

import type { Plan } from './plan.ts'

/** A node that could not start an instance is not moved to for this long. */
const moveAgainMs = 60_000

export interface Refusal {
  readonly instance: Instance
  /** Until then nothing is moved there for balance. */
  readonly untilMs: number
}

/** By node, the newest instance of the service that could not be made to run there a while ago. */
export function refusalsOf(plan: Plan): ReadonlyMap<string, Refusal> {
  const { nowMs } = plan.situation
  const refusals = new Map<string, Refusal>()
  for (const { instances } of plan.roster.slots) {
    for (const instance of instances) {
      const { node, createdAtMs, observed } = instance
      if (node === null || observed.state !== 'failed' || !observed.neverStarted) continue
      const failedAtMs = Math.min(Math.max(observed.finishedAtMs ?? nowMs, createdAtMs), nowMs)
      const untilMs = failedAtMs + moveAgainMs
      if (untilMs > Math.max(nowMs, refusals.get(node)?.untilMs ?? 0)) {
        refusals.set(node, { instance, untilMs })
      }
    }
  }
  return refusals
}
