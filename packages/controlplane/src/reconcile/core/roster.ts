import { isGone, isHealthy, isLive, type Instance } from '@bulkhead/shared'

import type { Situation } from './situation.ts'

/** One numbered place of the service, with its instances in the order of their creation. */
export interface Slot {
  readonly index: number
  readonly instances: readonly Instance[]
}

const byCreation = (a: Instance, b: Instance): number =>
  a.createdAtMs - b.createdAtMs ||
  a.revision - b.revision ||
  a.attempt - b.attempt ||
  (a.id < b.id ? -1 : 1)

/**
 * The instances of one service as they will be after the steps decided so far, and what that leaves
 * room for.
 */
export class Roster {
  readonly #situation: Situation
  readonly #slots: { readonly index: number; readonly instances: Instance[] }[] = []
  /** Instances that count against `replicas + maxSurge`. */
  #occupying = 0
  /** Available ones that are sent traffic: what an unfinished rollout has left, and all others. */
  readonly #available = { stray: 0, other: 0 }

  constructor(situation: Situation, instances: readonly Instance[]) {
    this.#situation = situation
    for (const instance of instances.toSorted(byCreation)) this.add(instance)
    if (situation.replicas > 0) this.#open(situation.replicas - 1)
  }

  /** By index; all slots that are wanted or have records. */
  get slots(): readonly Slot[] {
    return this.#slots
  }

  get wantedSlots(): readonly Slot[] {
    return this.#slots.slice(0, this.#situation.replicas)
  }

  lives(slot: Slot): readonly Instance[] {
    return slot.instances.filter(isLive)
  }

  /** Instances of the slot that no longer serve it but may still exist. */
  leaving(slot: Slot): readonly Instance[] {
    return slot.instances.filter((instance) => !isLive(instance) && this.mayExist(instance))
  }

  mayExist(instance: Instance): boolean {
    if (isGone(instance)) return false
    const node = this.#situation.nodeOf(instance)
    return node !== undefined && !node.confirmedDead && !this.#situation.isFenced(instance)
  }

  /** True for what no longer serves and whose node will tell when it is gone. */
  willGo(instance: Instance): boolean {
    if (isLive(instance) || instance.lostAtMs !== null || !this.mayExist(instance)) return false
    return this.#situation.nodeOf(instance)?.liveness !== 'lost'
  }

  /** True when there is room for one more under `replicas + maxSurge`. */
  get mayAdd(): boolean {
    return this.#occupying < this.#situation.replicas + this.#situation.surge
  }

  /**
   * True when stopping the instance leaves `floor` available ones, or takes nothing from anybody. What an unfinished
   * rollout has left is sent what the others cannot bear, so that it stands in for them when it goes itself; nobody
   * else goes for its sake, which would send traffic back to it.
   */
  mayStop(instance: Instance, floor: number): boolean {
    const isStray = this.#situation.sideOf(instance) === 'stray'
    return this.#leaves(instance, floor, isStray)
  }

  /** The same where what the rollout has left stays for want of a place, so that others make room for what follows it. */
  mayMakeRoom(instance: Instance, floor: number): boolean {
    return this.#leaves(instance, floor, true)
  }

  #leaves(instance: Instance, floor: number, countsStrays: boolean): boolean {
    const situation = this.#situation
    if (!isHealthy(instance) || !situation.carries(instance)) return true
    const { stray, other } = this.#available
    const available = countsStrays ? stray + other : other
    return available - (situation.isAvailable(instance) ? 1 : 0) >= floor
  }

  add(instance: Instance): void {
    this.#open(instance.slot).push(instance)
    this.#count(instance, 1)
  }

  change(slot: number, id: string, change: Partial<Instance>): void {
    const instances = this.#open(slot)
    const index = instances.findIndex((one) => one.id === id)
    const before = instances[index]
    if (before === undefined) return
    const after = { ...before, ...change }
    instances[index] = after
    this.#count(before, -1)
    this.#count(after, 1)
  }

  remove(slot: number, id: string): void {
    const instances = this.#open(slot)
    const index = instances.findIndex((one) => one.id === id)
    const [gone] = index < 0 ? [] : instances.splice(index, 1)
    if (gone) this.#count(gone, -1)
  }

  #open(slot: number): Instance[] {
    for (let index = this.#slots.length; index <= slot; index++) {
      this.#slots.push({ index, instances: [] })
    }
    return this.#slots[slot]?.instances ?? []
  }

  #count(instance: Instance, sign: 1 | -1): void {
    if (this.#occupies(instance)) this.#occupying += sign
    const situation = this.#situation
    if (!situation.isAvailable(instance) || !situation.carries(instance)) return
    this.#available[situation.sideOf(instance) === 'stray' ? 'stray' : 'other'] += sign
  }

  /** What still stops counts, except where nobody can say when it will be gone. */
  #occupies(instance: Instance): boolean {
    if (isGone(instance) || instance.lostAtMs !== null) return false
    return instance.desired === 'run' || this.#situation.nodeOf(instance)?.liveness !== 'lost'
  }
}
