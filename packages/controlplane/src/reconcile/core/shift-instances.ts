import type { Instance, Revision } from '@bulkhead/shared'

import { lastCompleted } from './good-revision.ts'
import { handOver } from './hand-over.ts'
import { replaceLost } from './lost-nodes.ts'
import type { Plan } from './plan.ts'
import { beginningOf } from './replace-failed.ts'
import { replace, surge, type Replacement } from './replace.ts'
import type { Slot } from './roster.ts'
import { createNext, tendPending } from './scale.ts'
import { countNew, countOld, newIn, newWanted, oldIn, oldWanted } from './shift-counts.ts'
import { bestOf } from './slots.ts'

/**
 * Keeps old and new side by side while a rollout moves traffic by steps: each slot can have an instance of either, and
 * each of them is replaced by its like when it has to be. Old ones stay as long as the share of the old revision needs
 * them, and beyond that as long as nobody needs the room.
 */
export function keepSides(plan: Plan): void {
  for (const slot of plan.roster.wantedSlots) keepBestOld(plan, slot)
  for (const track of plan.tracks) handOver(plan, track)
  dropStrays(plan)
  for (const track of plan.tracks) tendPending(plan, track)
  fillEmpty(plan)
  refillOld(plan)
  for (const slot of plan.roster.wantedSlots) {
    if (countNew(plan) < newWanted(plan)) replaceLost(plan, slot, plan.situation.wanted)
    replaceLost(plan, plan.part(slot, 'new'))
    if (countOld(plan) < oldWanted(plan)) {
      replaceLost(plan, plan.part(slot, 'old'), oldRevision(plan, slot))
    }
  }
  dropSpares(plan, (one) => {
    const kind = plan.needs.get(one.id)?.kind
    return kind === 'drain' || kind === 'violation'
  })
}

/** Takes the next instances of the new revision in, as many as the step needs and the policy allows now. */
export function growNew(plan: Plan): void {
  const missing = newWanted(plan) - countNew(plan)
  if (missing > 0) {
    if (!plan.roster.mayAdd) makeRoom(plan, missing)
    for (const next of withoutNew(plan).slice(0, missing)) bringIn(plan, next)
  }
  replaceStrays(plan)
}

/** Of what earlier rollouts have left in one slot only the best stays: none of it is on its way to anything. */
function keepBestOld(plan: Plan, slot: Slot): void {
  const { floor } = plan.situation
  const sound = oldIn(plan, slot).filter(({ id }) => !plan.needs.get(id))
  const best = sound.length > 1 ? bestOf(plan, sound) : null
  for (const one of sound) {
    if (best === null || one.id === best.id) continue
    if (plan.roster.mayStop(one, floor)) plan.stop(one, `${best.id} is in the slot already`)
    else plan.wakeWhenAvailable()
  }
}

/** What an unfinished rollout has left goes as soon as its slot has something better. */
function dropStrays(plan: Plan): void {
  const { floor } = plan.situation
  for (const slot of plan.roster.wantedSlots) {
    const better = [...newIn(plan, slot), ...oldIn(plan, slot)]
    if (!better.some((one) => plan.situation.isAvailable(one))) continue
    for (const one of plan.roster.lives(slot)) {
      if (plan.situation.sideOf(one) !== 'stray') continue
      if (plan.roster.mayStop(one, floor)) plan.stop(one, 'its rollout was ended before its end')
      else plan.wakeWhenAvailable()
    }
  }
}

function fillEmpty(plan: Plan): void {
  const { wanted } = plan.situation
  for (const slot of plan.roster.wantedSlots) {
    if (plan.roster.lives(slot).length > 0) continue
    if (countNew(plan) < newWanted(plan)) createNext(plan, slot, wanted)
    else if (countOld(plan) < oldWanted(plan)) createNext(plan, slot, oldRevision(plan, slot))
  }
}

/** What is lost of the old revision beside a new instance, where there is a place for it. */
function refillOld(plan: Plan): void {
  for (const slot of plan.roster.wantedSlots) {
    if (!plan.roster.mayAdd || newIn(plan, slot).length === 0) continue
    const old = plan.part(slot, 'old')
    if (plan.roster.lives(old).length > 0) continue
    if (countOld(plan) >= oldWanted(plan)) return
    const revision = oldRevision(plan, slot)
    if (!plan.batch(revision).peek({ id: '', avoid: new Set() }).fits) return
    createNext(plan, old, revision)
  }
}

/** What the slot has, or any other slot, or was last rolled out in full. */
function oldRevision(plan: Plan, slot: Slot): Revision {
  const { situation, roster } = plan
  const known = [slot, ...roster.slots].flatMap(({ instances }) => instances.toReversed())
  const like = known.find((one) => situation.sideOf(one) === 'old')
  const good = lastCompleted(situation.view, situation.key)
  return (
    (like && situation.revisionLike(like)) ??
    (good && situation.revision(good.to)) ??
    situation.wanted
  )
}

/**
 * Stops old instances that the share of the old revision does not need, in slots that have a new one; so many at most.
 */
function dropSpares(plan: Plan, chosen: (instance: Instance) => boolean, most = Infinity): void {
  const { situation, roster } = plan
  let left = most
  for (const slot of roster.wantedSlots) {
    if (!newIn(plan, slot).some((one) => situation.isAvailable(one))) continue
    for (const one of oldIn(plan, slot)) {
      if (left <= 0 || countOld(plan) <= oldWanted(plan)) return
      if (!chosen(one)) continue
      left -= 1
      if (roster.mayStop(one, situation.floor)) {
        plan.stop(one, `makes room for revision ${situation.wanted.revision}`)
      } else plan.wakeWhenAvailable()
    }
  }
}

const makeRoom = (plan: Plan, count: number): void => dropSpares(plan, () => true, count)

/** Slots that have one old instance and no new one, those that serve least first. */
function withoutNew(plan: Plan): readonly Replacement[] {
  const { situation, roster } = plan
  const { revision, cause } = situation.wanted
  const need = { kind: 'outdated', text: `revision ${revision} (${cause})` } as const
  const found: Replacement[] = []
  for (const slot of roster.wantedSlots) {
    const [instance, ...more] = roster.lives(slot)
    if (instance === undefined || more.length > 0 || instance.node === null) continue
    if (situation.isCurrent(instance)) continue
    if (situation.nodeOf(instance)?.liveness === 'ready') found.push({ slot, instance, need })
  }
  const rank = ({ instance }: Replacement): number => {
    if (!situation.serves(instance)) return 0
    return situation.sideOf(instance) === 'stray' ? 1 : 2
  }
  return found.toSorted((a, b) => rank(a) - rank(b) || a.slot.index - b.slot.index)
}

function bringIn(plan: Plan, next: Replacement): void {
  const { situation } = plan
  const { slot, instance } = next
  const blocked = (why: string): void =>
    plan.hinder(
      slot.index,
      'blocked',
      `revision ${situation.wanted.revision} cannot be started beside ${instance.id}: ${why}`,
    )
  if (situation.shift?.shift.strategy === 'blue-green' || situation.replicas < 2) {
    if (!plan.roster.mayAdd) return
    const beginning = beginningOf(plan, slot, situation.wanted)
    const why = beginning && surge(plan, next, situation.wanted, beginning)
    if (why !== null) blocked(why)
    return
  }
  let outcome = replace(plan, next, situation.floor, situation.wanted)
  if (outcome.kind === 'stuck' && outcome.roomWithout && !isMoving(plan)) {
    const floor = Math.min(situation.floor, situation.replicas - 1)
    outcome = replace(plan, next, floor, situation.wanted)
  }
  if (outcome.kind === 'stopped') plan.rolloutNote ??= `goes stop-first: ${outcome.reason}`
  if (outcome.kind === 'stuck' && !outcome.roomWithout) blocked(outcome.reason)
}

/** True while a slot is empty or something in it stops: the step before is not yet done. */
function isMoving({ roster }: Plan): boolean {
  return roster.wantedSlots.some(
    (slot) =>
      roster.lives(slot).length === 0 || slot.instances.some((instance) => roster.willGo(instance)),
  )
}

/** What an unfinished rollout has left, and no new instance is to follow, gives way to the old revision. */
function replaceStrays(plan: Plan): void {
  const { situation } = plan
  for (const next of withoutNew(plan)) {
    if (situation.sideOf(next.instance) !== 'stray') continue
    if (countOld(plan) >= oldWanted(plan)) return
    replace(plan, next, situation.floor, oldRevision(plan, next.slot))
  }
}
