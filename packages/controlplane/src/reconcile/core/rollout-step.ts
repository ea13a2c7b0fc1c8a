import { makeRoomForStrays } from './hand-over.ts'
import type { Plan } from './plan.ts'
import { replace, replacements, type Outcome, type Replacement } from './replace.ts'

/**
 * One step of the way to the wanted template: outdated instances are replaced as far as the update
 * policy allows it now, those that do not serve first. Where no new instance fits beside an old
 * one, it goes stop-first, one at a time at least.
 */
export function updateOutdated(plan: Plan): void {
  const { situation } = plan
  const outdated = replacements(plan, 'outdated')
  const serving = outdated.filter(({ instance }) => situation.serves(instance))
  const others = outdated.filter(({ instance }) => !situation.serves(instance))
  let next: Replacement | null = null
  let isStrayStuck = false
  for (const replacement of [...others, ...serving]) {
    const outcome = update(plan, replacement, situation.floor)
    if (outcome.kind !== 'stuck') continue
    if (outcome.roomWithout) next ??= replacement
    else if (situation.sideOf(replacement.instance) === 'stray') isStrayStuck = true
  }
  if (isStrayStuck && !isGoing(plan)) makeRoomForStrays(plan)
  if (next === null || isMoving(plan)) return
  update(plan, next, Math.min(situation.floor, situation.replicas - 1))
}

function update(plan: Plan, replacement: Replacement, floor: number): Outcome {
  const outcome = replace(plan, replacement, floor)
  const { slot, instance } = replacement
  if (outcome.kind === 'stopped') plan.rolloutNote ??= `goes stop-first: ${outcome.reason}`
  if (outcome.kind === 'stuck' && !outcome.roomWithout) {
    plan.hinder(slot.index, 'blocked', `${instance.id} cannot be updated: ${outcome.reason}`)
  }
  return outcome
}

/** True while a slot is empty or holds more than one instance: the step before is not yet done. */
function isMoving(plan: Plan): boolean {
  return plan.roster.wantedSlots.some(
    (slot) =>
      plan.roster.lives(slot).length !== 1 ||
      slot.instances.some((instance) => plan.roster.willGo(instance)),
  )
}

const isGoing = ({ roster }: Plan): boolean =>
  roster.slots.some((slot) => slot.instances.some((instance) => roster.willGo(instance)))
