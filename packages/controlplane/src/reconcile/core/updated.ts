import type { Plan } from './plan.ts'
import type { Slot } from './roster.ts'

export interface Progress {
  /** Slots with an available instance of the wanted template. */
  readonly updated: number
  /** When the last of them became available; 0 when there is none. */
  readonly lastAtMs: number
}

function updatedAtMs({ situation }: Plan, slot: Slot): number | null {
  const instance = slot.instances.find(
    (one) => situation.isCurrent(one) && situation.isAvailable(one),
  )
  return instance === undefined ? null : situation.availableAtMs(instance)
}

export function progressOf(plan: Plan): Progress {
  const times = plan.roster.wantedSlots.flatMap((slot) => updatedAtMs(plan, slot) ?? [])
  return { updated: times.length, lastAtMs: times.reduce((last, at) => Math.max(last, at), 0) }
}
