import { counted, type Instance, type Revision } from '@bulkhead/shared'

import { unmetDependency } from './dependencies.ts'
import type { Plan } from './plan.ts'
import { beginningOf, type Beginning } from './replace-failed.ts'
import type { Slot } from './roster.ts'
import { revisionAfter } from './slots.ts'

/** Slots beyond `replicas` go, the highest first, as long as that leaves enough available ones. */
export function stopSurplus(plan: Plan): void {
  const { replicas, floor } = plan.situation
  for (const slot of plan.roster.slots.slice(replicas).toReversed()) {
    for (const instance of plan.roster.lives(slot)) {
      if (plan.roster.mayStop(instance, floor))
        plan.stop(instance, `scaled to ${counted(replicas, 'replica')}`)
      else {
        plan.wakeWhenAvailable()
        const text = `stays until ${floor} of the ${replicas} wanted ones are available`
        plan.hinder(slot.index, 'progressing', `${instance.id} is surplus and ${text}`)
      }
    }
  }
}

/** Gives the slot an instance when it has none, and a node to the one that has none yet. */
export function fillSlot(plan: Plan, slot: Slot): void {
  tendPending(plan, slot)
  if (plan.roster.lives(slot).length === 0) createNext(plan, slot)
}

/** Finds a node for the instance that has none, or stops it when it is no longer wanted. */
export function tendPending(plan: Plan, slot: Slot): void {
  const pending = plan.roster.lives(slot).find(({ node }) => node === null)
  if (pending && plan.needs.get(pending.id)) plan.stop(pending, 'superseded before it had a node')
  else if (pending) assignPending(plan, slot, pending)
}

function assignPending(plan: Plan, slot: Slot, pending: Instance): void {
  const revision = plan.situation.revision(pending.revision)
  const fenced = fencing(plan, slot)
  const waits =
    unmetDependency(plan, slot) ??
    (fenced === null ? null : { text: fenced, level: 'progressing' as const })
  if (waits !== null) {
    plan.explain(pending, waits.text)
    plan.hinder(slot.index, waits.level, waits.text)
    return
  }
  if (revision === undefined) return
  const beginning = beginningOf(plan, slot, revision)
  const avoid = beginning?.avoid ?? new Set<string>()
  const placed = plan.batch(revision).place({ id: pending.id, avoid })
  if (placed.fits) {
    const cause = pending.predecessor === null ? causeOf(revision) : (beginning?.text ?? '')
    plan.assign(pending, placed.node, placed.hostPorts, cause === '' ? causeOf(revision) : cause)
  } else {
    plan.explain(pending, placed.reason)
    plan.hinder(slot.index, 'blocked', placed.reason)
  }
}

function followingRevision(plan: Plan, slot: Slot): Revision {
  return revisionAfter(
    plan,
    slot.instances.findLast(({ node }) => node !== null),
  )
}

/** Gives the slot an instance of the revision: on a node, or pending with the reason. */
export function createNext(
  plan: Plan,
  slot: Slot,
  revision: Revision = followingRevision(plan, slot),
): void {
  const beginning = beginningOf(plan, slot, revision)
  if (beginning === null) {
    plan.hinder(slot.index, 'degraded', 'failed; its agent is given a moment to go on by itself')
    return
  }
  const fenced = fencing(plan, slot)
  if (fenced !== null) {
    plan.hinder(slot.index, 'progressing', fenced)
    return
  }
  if (!plan.roster.mayAdd) {
    plan.hinder(slot.index, 'progressing', 'waits until one that stops is gone')
    return
  }
  const waits = unmetDependency(plan, slot)
  if (waits !== null) {
    const { text: reason, level } = waits
    plan.create({ ...begin(slot, revision, beginning), node: null, hostPorts: {}, reason })
    plan.hinder(slot.index, level, reason)
    return
  }
  placeNext(plan, slot, revision, beginning)
}

function placeNext(plan: Plan, slot: Slot, revision: Revision, beginning: Beginning): void {
  const id = plan.nextId(slot.index)
  const placed = plan.batch(revision).place({ id, avoid: beginning.avoid })
  const next = begin(slot, revision, beginning)
  if (placed.fits) {
    const reason = beginning.text === '' ? causeOf(revision) : beginning.text
    plan.create({ ...next, node: placed.node, hostPorts: placed.hostPorts, reason })
    return
  }
  const going = slot.instances.find((instance) => plan.roster.willGo(instance))
  if (going) {
    plan.hinder(slot.index, 'progressing', `waits until ${going.id} is gone: ${placed.reason}`)
    return
  }
  plan.create({ ...next, node: null, hostPorts: {}, reason: placed.reason })
  plan.hinder(slot.index, 'blocked', placed.reason)
}

/** Fields of a new instance that do not depend on where it goes. */
function begin(slot: Slot, revision: Revision, beginning: Beginning) {
  const { predecessor, attempt, startAtMs } = beginning
  return { slot: slot.index, revision, predecessor, attempt, startAtMs }
}

const causeOf = ({ revision, cause }: Revision): string => `revision ${revision}: ${cause}`

/** An exclusive slot takes nobody in before everybody else in it is gone for certain. */
export function fencing(plan: Plan, slot: Slot): string | null {
  if (!plan.situation.wanted.spec.exclusive) return null
  const other = plan.roster.leaving(slot)[0]
  if (other === undefined) return null
  plan.wake(plan.situation.fencedAtMs(other))
  const node = plan.situation.nodeOf(other)
  const where =
    node && node.liveness !== 'ready' ? ` on node ${node.name}, which is ${node.liveness}` : ''
  return `waits until ${other.id} is gone for certain${where}: the service is exclusive`
}
