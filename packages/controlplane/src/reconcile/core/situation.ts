import {
  isHealthy,
  isLive,
  type Instance,
  type Node,
  type Revision,
  type Service,
  type ServiceKey,
} from '@bulkhead/shared'

import { floorOf } from '../../rollout/core/floor.ts'
import { sidesOf, type Side } from '../../rollout/core/sides.ts'
import { activeShift, shareOf, type ActiveShift } from '../../rollout/core/stages.ts'
import type { ClusterView } from '../../state/view.ts'
import type { ReconcileContext } from './context.ts'

/** A time that is further ahead of us than this, because our clock was set, is not believed. */
const maxSkewMs = 5000

/** What can be read off the records of one service, without anything that has been decided yet. */
export class Situation {
  readonly view: ClusterView
  readonly key: ServiceKey
  readonly context: ReconcileContext
  readonly service: Service
  readonly wanted: Revision
  readonly nowMs: number
  readonly replicas: number
  /** How many instances may exist beyond `replicas`. */
  readonly surge: number
  /** How many instances must stay available through whatever we do. */
  readonly floor: number
  /** The rollout as it was before this round, when it moves traffic by steps. */
  readonly shift: ActiveShift | null
  /** The rollout was to move traffic by steps, and there is no reason to. */
  readonly goesWithoutSteps: boolean
  /** Per cent of new traffic for the new revision; null: everybody gets the same. */
  readonly share: number | null
  readonly #side: (templateHash: string | undefined) => Side
  readonly #revisions = new Map<number, Revision | undefined>()

  constructor(view: ClusterView, service: Service, wanted: Revision, context: ReconcileContext) {
    const { replicas, exclusive, update } = wanted.spec
    this.view = view
    this.key = service.key
    this.context = context
    this.service = service
    this.wanted = wanted
    this.nowMs = context.nowMs
    this.replicas = replicas
    this.#side = sidesOf(view, wanted)
    const rollout = view.openRolloutOf(service.key)
    const active = activeShift(rollout, wanted.spec)
    this.goesWithoutSteps = active !== null && this.#hasNobodyToSpare(active)
    this.shift = this.goesWithoutSteps ? null : active
    const bySide = this.shift?.shift.strategy === 'blue-green' ? replicas : 0
    this.surge = exclusive ? 0 : update.maxSurge + bySide
    this.floor = floorOf(wanted.spec)
    this.share = this.shift && shareOf(this.shift, { serving: this.#servingNew(), replicas })
    if (rollout?.shift?.done) this.share = 100
  }

  /** Nothing of the old revision is healthy, wherever it is, and the first step has not been reached. */
  #hasNobodyToSpare({ rollout, shift }: ActiveShift): boolean {
    if (rollout.phase !== 'progressing' || shift.step > 0 || shift.reachedAtMs !== null)
      return false
    return !this.view
      .instancesOf(this.key)
      .some((one) => isLive(one) && isHealthy(one) && !this.isCurrent(one))
  }

  #servingNew(): number {
    return this.view.instancesOf(this.key).filter((one) => this.isCurrent(one) && this.serves(one))
      .length
  }

  sideOf(instance: Instance): Side {
    return this.#side(this.hashOf(instance))
  }

  /** False for a set of blue-green that is not sent anything, now that the other one is there. */
  carries(instance: Instance): boolean {
    if (this.share === null) return true
    const side = this.sideOf(instance)
    return side === 'stray' || (side === 'new' ? this.share > 0 : this.share < 100)
  }

  revision(number: number): Revision | undefined {
    if (!this.#revisions.has(number)) {
      this.#revisions.set(number, this.view.revisionOf(this.key, number))
    }
    return this.#revisions.get(number)
  }

  nodeOf(instance: Instance): Node | undefined {
    return instance.node === null ? undefined : this.view.nodes.get(instance.node)
  }

  /**
   * When the node of an exclusive instance has provably stopped it without having said so; null when that cannot be
   * foreseen, because the node is not lost.
   */
  fencedAtMs(instance: Instance): number | null {
    const node = this.nodeOf(instance)
    if (!this.wanted.spec.exclusive || node?.liveness !== 'lost') return null
    return this.context.leaseEndsAtMs(node.name)
  }

  isFenced(instance: Instance): boolean {
    const atMs = this.fencedAtMs(instance)
    return atMs !== null && atMs <= this.nowMs
  }

  hashOf(instance: Instance): string | undefined {
    return this.revision(instance.revision)?.templateHash
  }

  /** True when the instance is what the wanted revision would make. */
  isCurrent(instance: Instance): boolean {
    return this.hashOf(instance) === this.wanted.templateHash
  }

  /**
   * The newest kept revision that makes the same container as the instance; null when none is kept.
   */
  revisionLike(instance: Instance): Revision | null {
    const hash = this.hashOf(instance)
    if (hash === undefined) return null
    const alike = this.view
      .revisionsOf(this.key)
      .filter(({ templateHash }) => templateHash === hash)
    return alike.at(-1) ?? null
  }

  /** True when the instance serves, and its node would have said so if it no longer did. */
  serves(instance: Instance): boolean {
    if (!isLive(instance) || !isHealthy(instance)) return false
    return this.nodeOf(instance)?.liveness === 'ready'
  }

  /**
   * When the instance counts as available: it has been healthy for `minHealthyTime`, but never
   * before the record was made.
   */
  availableAtMs(instance: Instance): number | null {
    const { healthySinceMs } = instance.observed
    if (!this.serves(instance) || healthySinceMs === null) return null
    if (this.context.rehearsal) return this.nowMs
    const believed = (atMs: number): number => (atMs > this.nowMs + maxSkewMs ? 0 : atMs)
    return (
      Math.max(believed(healthySinceMs), believed(instance.createdAtMs)) +
      this.wanted.spec.update.minHealthyTimeMs
    )
  }

  isAvailable(instance: Instance): boolean {
    const atMs = this.availableAtMs(instance)
    return atMs !== null && atMs <= this.nowMs
  }
}
