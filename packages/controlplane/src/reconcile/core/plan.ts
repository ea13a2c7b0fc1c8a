import {
  firstInstanceId,
  type Instance,
  type Node,
  type Revision,
  type Rollout,
  type RolloutPhase,
  type TrafficShift,
} from '@bulkhead/shared'

import { Books } from '../../placement/core/books.ts'
import { PlacementBatch } from '../../placement/core/place.ts'
import type { Unmet } from './dependencies.ts'
import type { Need } from './needs.ts'
import { newInstance } from './new-instance.ts'
import { Roster, type Slot } from './roster.ts'
import { placementRules } from './rules.ts'
import type { Situation } from './situation.ts'
import type { Reconciled, Step } from './step.ts'

/** How bad it is that something stands still. */
export type Hindrance = 'blocked' | 'degraded' | 'progressing'

export interface NewInstance {
  readonly slot: number
  readonly revision: Revision
  readonly node: Node | null
  readonly hostPorts: Readonly<Record<string, number>>
  readonly predecessor: string | null
  readonly attempt: number
  readonly startAtMs: number
  readonly reason: string
}

export interface RolloutMove {
  readonly phase: RolloutPhase
  readonly progressAtMs: number
  readonly dueAtMs: number | null
  readonly reason: string
  readonly shift?: TrafficShift | null
  readonly note: string | null
}

/**
 * The steps decided so far, and the service as it will be after them. Every decision sees those
 * before it; the records of the view are never touched.
 */
export class Plan {
  readonly situation: Situation
  readonly roster: Roster
  readonly books: Books
  readonly needs = new Map<string, Need | null>()
  rollout: Rollout | undefined
  /** The dependency that the service waits for; undefined until somebody has asked. */
  unmet: Unmet | null | undefined
  /** A line for the rollout's history that this round has given rise to. */
  rolloutNote: string | null = null
  /** Why things stand still, by slot, as far as the functions that tried know it. */
  readonly hindrances = new Map<number, { readonly level: Hindrance; readonly text: string }>()
  readonly #steps: Step[] = []
  readonly #batches = new Map<number, PlacementBatch>()
  #dueAtMs: number | null = null
  #waitsForHealth = false
  #created = 0
  #next = { slot: -1, serial: -1, id: '' }

  constructor(situation: Situation) {
    const { view, key } = situation
    this.situation = situation
    this.rollout = view.openRolloutOf(key)
    const known = view.instancesOf(key).filter((instance) => this.#forgetWithNode(instance))
    this.roster = new Roster(situation, known)
    this.books = new Books(view, key)
  }

  /** True while the rollout rests: what is outdated stays so. */
  get held(): boolean {
    return this.rollout?.phase === 'paused'
  }

  /** True for what is not of the wanted revision and is meant to stay as it is for now. */
  holds(instance: Instance): boolean {
    if (this.held) return true
    return this.situation.shift !== null && this.situation.sideOf(instance) === 'old'
  }

  /**
   * What is to have one instance each: the wanted slots, or while old and new are kept side by side, each slot's old
   * and new part.
   */
  get tracks(): readonly Slot[] {
    const { wantedSlots } = this.roster
    if (this.situation.shift === null) return wantedSlots
    return wantedSlots.flatMap((slot) => [this.part(slot, 'old'), this.part(slot, 'new')])
  }

  part(slot: Slot, part: 'old' | 'new'): Slot {
    const { situation } = this
    return {
      index: slot.index,
      get instances() {
        return slot.instances.filter((one) => situation.isCurrent(one) === (part === 'new'))
      },
    }
  }

  get result(): Reconciled {
    if (this.#waitsForHealth) {
      for (const { instances } of this.roster.slots) {
        for (const instance of instances) this.wake(this.situation.availableAtMs(instance))
      }
    }
    const lacksRoom = [...this.#batches.values()].some((batch) => batch.hasRefused)
    return { steps: this.#steps, dueAtMs: this.#dueAtMs, lacksRoom }
  }

  batch(revision: Revision): PlacementBatch {
    let batch = this.#batches.get(revision.revision)
    if (batch === undefined) {
      const { situation, roster, books } = this
      const { view, key: service } = situation
      const isNew = revision.templateHash === situation.wanted.templateHash
      const staying = roster.slots.flatMap((slot) =>
        roster
          .lives(slot)
          .filter(
            (one) =>
              !this.needs.get(one.id) &&
              (situation.shift === null || situation.isCurrent(one) === isNew),
          ),
      )
      const rules = placementRules(situation, revision)
      const { portRange } = situation.context
      batch = new PlacementBatch(view, { service, revision, rules, staying, portRange, books })
      this.#batches.set(revision.revision, batch)
    }
    return batch
  }

  /** The id that the next instance of the slot will have. */
  nextId(slot: number): string {
    const { context, key, service } = this.situation
    const serial = service.serial + this.#created
    if (this.#next.slot !== slot || this.#next.serial !== serial) {
      this.#next = { slot, serial, id: firstInstanceId(context.lineageSeed, key, slot, serial) }
    }
    return this.#next.id
  }

  create({ slot, revision, node, ...rest }: NewInstance): void {
    const id = this.nextId(slot)
    const where = { slot, revision: revision.revision, node: node?.name ?? null }
    const step = { kind: 'create' as const, id, ...where, ...rest }
    this.#steps.push(step)
    this.#created += 1
    this.needs.set(id, null)
    this.roster.add(newInstance(this.situation.key, step, this.situation.nowMs))
  }

  assign(
    { id, slot }: Instance,
    node: Node,
    hostPorts: Readonly<Record<string, number>>,
    reason: string,
  ): void {
    this.#steps.push({ kind: 'assign', id, node: node.name, hostPorts, reason })
    this.roster.change(slot, id, { node: node.name, hostPorts, cause: reason })
  }

  explain({ id, slot, cause }: Instance, reason: string): void {
    if (cause === reason) return
    this.#steps.push({ kind: 'explain', id, reason })
    this.roster.change(slot, id, { cause: reason })
  }

  stop({ id, slot }: Instance, reason: string): void {
    this.#steps.push({ kind: 'stop', id, reason })
    this.roster.change(slot, id, { desired: 'stop', cause: reason })
  }

  giveUp({ id, slot }: Instance, reason: string): void {
    this.#steps.push({ kind: 'give-up', id, reason })
    const lostAtMs = this.situation.nowMs
    this.roster.change(slot, id, { desired: 'stop', cause: reason, lostAtMs })
  }

  forget({ id, slot }: Instance): void {
    this.#steps.push({ kind: 'forget', id })
    this.roster.remove(slot, id)
  }

  /** Changes the rollout's record; ends it unless the phase is an open one. */
  moveRollout(rollout: Rollout, move: RolloutMove): void {
    this.#steps.push({ kind: 'rollout', id: rollout.id, ...move })
    const { note: _, ...change } = move
    const open = move.phase === 'progressing' || move.phase === 'paused'
    this.rollout = open ? { ...rollout, ...change } : undefined
  }

  /** For steps that change nothing that later decisions look at. */
  push(step: Step): void {
    this.#steps.push(step)
  }

  /** Look again at that time, when it is in the future. */
  wake(atMs: number | null): void {
    if (atMs === null || atMs <= this.situation.nowMs) return
    this.#dueAtMs = Math.min(this.#dueAtMs ?? atMs, atMs)
  }

  /** Look again whenever an instance has been healthy for long enough. */
  wakeWhenAvailable(): void {
    this.#waitsForHealth = true
  }

  /** Says why the slot is not as it should be; the first word on a slot counts. */
  hinder(slot: number, level: Hindrance, text: string): void {
    if (!this.hindrances.has(slot)) this.hindrances.set(slot, { level, text })
  }

  /** A node that was removed takes its instances with it: an operator has vouched for that. */
  #forgetWithNode(instance: Instance): boolean {
    if (instance.node === null || this.situation.nodeOf(instance)) return true
    this.#steps.push({ kind: 'forget', id: instance.id })
    return false
  }
}
