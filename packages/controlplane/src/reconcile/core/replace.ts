import type { Instance, Revision } from '@bulkhead/shared'

import type { Need } from './needs.ts'
import type { Plan } from './plan.ts'
import { beginningOf, type Beginning } from './replace-failed.ts'
import type { Slot } from './roster.ts'
import { revisionAfter } from './slots.ts'

/** The only live instance of a slot, and why it must be replaced. */
export interface Replacement {
  readonly slot: Slot
  readonly instance: Instance
  readonly need: Need
}

export type Outcome =
  /** A new instance was created beside it. */
  | { readonly kind: 'surged' }
  /** It was stopped, so that the new one can take its place. */
  | { readonly kind: 'stopped'; readonly reason: string }
  /** Its turn has not come. */
  | { readonly kind: 'waits' }
  /** No new one can be beside it, and it may not be stopped first either. */
  | { readonly kind: 'stuck'; readonly reason: string; readonly roomWithout: boolean }

/** Replaceable now: on a node that can hear us, and alone in its slot. */
export function replacements(
  plan: Plan,
  ...kinds: readonly Need['kind'][]
): readonly Replacement[] {
  const found: Replacement[] = []
  for (const slot of plan.tracks) {
    const [instance, ...more] = plan.roster.lives(slot)
    if (instance === undefined || more.length > 0 || instance.node === null) continue
    const need = plan.needs.get(instance.id)
    if (!need || !kinds.includes(need.kind)) continue
    if (plan.situation.nodeOf(instance)?.liveness === 'ready') found.push({ slot, instance, need })
  }
  return found
}

/**
 * Replaces the instance: start before stop where surge and placement allow it, else stop first, as
 * long as `floor` instances stay available and there is a place for the new one once the old one is
 * gone.
 */
export function replace(
  plan: Plan,
  { slot, instance, need }: Replacement,
  floor: number,
  revision: Revision = revisionAfter(plan, instance),
): Outcome {
  const beginning = beginningOf(plan, slot, revision)
  if (beginning === null) return { kind: 'waits' }
  let hindrance = noSurge(plan)
  if (hindrance === null && plan.roster.mayAdd) {
    hindrance = surge(plan, { slot, instance, need }, revision, beginning)
    if (hindrance === null) return { kind: 'surged' }
  }
  const reason = hindrance ?? 'there are as many instances as maxSurge allows'
  if (!plan.roster.mayStop(instance, floor)) {
    plan.wakeWhenAvailable()
    return hindrance === null ? { kind: 'waits' } : { kind: 'stuck', reason, roomWithout: true }
  }
  const node = plan.batch(revision).nodeWithout(instance)
  if (node === null) {
    return { kind: 'stuck', reason: withoutRoom(plan, revision, reason), roomWithout: false }
  }
  plan.books.reserveSwap(node.name, plan.situation.revision(instance.revision), revision)
  plan.stop(instance, `${need.text}; stopped first because ${reason}`)
  return { kind: 'stopped', reason }
}

function noSurge({ situation }: Plan): string | null {
  if (situation.wanted.spec.exclusive) return 'the service is exclusive'
  return situation.surge === 0 ? 'maxSurge is 0' : null
}

/** Null when it was done, else why no node takes an instance beside the old one. */
export function surge(
  plan: Plan,
  { slot, instance, need }: Replacement,
  revision: Revision,
  beginning: Beginning,
): string | null {
  const { avoid, predecessor, attempt, startAtMs } = beginning
  const placed = plan.batch(revision).place({ id: plan.nextId(slot.index), avoid })
  if (!placed.fits) return placed.reason
  const { node, hostPorts } = placed
  const reason = `replaces ${instance.id}: ${need.text}`
  const common = { slot: slot.index, revision, predecessor, attempt, startAtMs }
  plan.create({ ...common, node, hostPorts, reason })
  return null
}

/** Even with the old one gone there would be no place. */
function withoutRoom(plan: Plan, revision: Revision, reason: string): string {
  if (noSurge(plan) === null) return reason
  const placed = plan.batch(revision).peek({ id: '', avoid: new Set() })
  return placed.fits ? reason : placed.reason
}
