import { counted, type Instance } from '@bulkhead/shared'

import type { Plan } from './plan.ts'
import type { Slot } from './roster.ts'
import { bestOf, keeperOf } from './slots.ts'

/**
 * Where a slot has several live instances, one replaces the others: they are stopped once it is
 * available, and not before the service as a whole can spare them. When all of them need replacing,
 * the one that serves best is kept until then.
 */
export function handOver(plan: Plan, slot: Slot): void {
  dropNeedlessPending(plan, slot)
  const lives = plan.roster.lives(slot)
  if (lives.length < 2) return
  const keeper = keeperOf(plan, slot)
  const others = lives.filter(({ id }) => id !== keeper?.id)
  if (keeper !== null && plan.situation.isAvailable(keeper)) {
    for (const other of others) release(plan, other, keeper)
    return
  }
  plan.wakeWhenAvailable()
  const stay = bestOf(plan, others)
  for (const other of others) {
    if (stay !== null && other.id !== stay.id) release(plan, other, keeper ?? stay)
  }
}

/** An agent may report a successor when its slot has been given to another instance already. */
function dropNeedlessPending(plan: Plan, slot: Slot): void {
  const lives = plan.roster.lives(slot)
  const placed = lives.find(({ node }) => node !== null)
  if (placed === undefined) return
  for (const pending of lives.filter(({ node }) => node === null)) {
    plan.stop(pending, `${placed.id} is in the slot already`)
  }
}

/**
 * There is no place for what is to follow the leftover of a rollout, and all that could make room waits for that: one
 * goes whose own follower is available, or which is surplus.
 */
export function makeRoomForStrays(plan: Plan): void {
  const { roster, situation } = plan
  const { floor, replicas } = situation
  for (const slot of roster.slots) {
    const isSurplus = slot.index >= replicas
    const keeper = isSurplus ? null : keeperOf(plan, slot)
    if (!isSurplus && (keeper === null || !situation.isAvailable(keeper))) continue
    const other = roster
      .lives(slot)
      .find((one) => one.id !== keeper?.id && roster.mayMakeRoom(one, floor))
    if (other === undefined) continue
    plan.hindrances.delete(slot.index)
    plan.stop(other, keeper ? replacedBy(plan, other, keeper) : scaledTo(replicas))
    return
  }
}

const scaledTo = (replicas: number): string => `scaled to ${counted(replicas, 'replica')}`

function replacedBy(plan: Plan, instance: Instance, by: Instance): string {
  const need = plan.needs.get(instance.id)
  return `replaced by ${by.id}${need ? `: ${need.text}` : ''}`
}

function release(plan: Plan, instance: Instance, by: Instance): void {
  if (plan.roster.mayStop(instance, plan.situation.floor)) {
    plan.stop(instance, replacedBy(plan, instance, by))
    return
  }
  plan.wakeWhenAvailable()
  const { floor, replicas } = plan.situation
  const text = `${instance.id} stays until ${floor} of ${replicas} are available without it`
  plan.hinder(instance.slot, 'progressing', text)
}
