import { fenceSlots } from './structure.ts'

/**
 * Heartbeats and the places in the kernel that stand for them. A place is armed, with a timeout of a whole lease,
 * before the heartbeat is sent that will stand for it, and counts once that one has been answered. What counts has
 * therefore begun before the lease did, however late the agent gets to say so.
 */
export interface Slots {
  /** Armed, and not used by a heartbeat yet. */
  readonly armed: { readonly slot: number; readonly atMs: number } | null
  /** By the number of the heartbeat that is on its way, in order. */
  readonly used: readonly { readonly sequence: number; readonly slot: number }[]
  /** What the lease goes by. */
  readonly active: number | null
}

export const noSlots: Slots = { armed: null, used: [], active: null }

/** A heartbeat is about to be sent; a place that was armed too long ago would be worth too little. */
export function onSent(slots: Slots, sequence: number, nowMs: number, maxAgeMs: number): Slots {
  const { armed } = slots
  if (armed === null) return slots
  if (nowMs - armed.atMs > maxAgeMs) return { ...slots, armed: null }
  return { ...slots, armed: null, used: [...slots.used, { sequence, slot: armed.slot }] }
}

/** The same slots when no place stood for that heartbeat. */
export function onAnswered(slots: Slots, sequence: number): Slots {
  const found = slots.used.find((one) => one.sequence === sequence)
  if (found === undefined) return slots
  const used = slots.used.filter((one) => one.sequence > sequence)
  return { ...slots, used, active: found.slot }
}

/** A place to arm next, and the slots without it: a free one, else that of the oldest heartbeat on its way. */
export function takeFree(slots: Slots): { readonly slot: number; readonly rest: Slots } | null {
  const taken = new Set([slots.active, ...slots.used.map((one) => one.slot)])
  const free = fenceSlots.find((slot) => !taken.has(slot))
  if (free !== undefined) return { slot: free, rest: slots }
  const [oldest, ...used] = slots.used
  return oldest === undefined ? null : { slot: oldest.slot, rest: { ...slots, used } }
}
