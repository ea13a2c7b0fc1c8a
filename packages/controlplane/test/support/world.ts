import {
  isGone,
  successorInstanceId,
  type Instance,
  type Node,
  type Observed,
  type ServiceKey,
} from '@bulkhead/shared'

import { applySteps } from '../../src/reconcile/apply-steps.ts'
import type { ReconcileContext } from '../../src/reconcile/core/context.ts'
import { reconcile } from '../../src/reconcile/core/reconcile.ts'
import { backOffMs } from '../../src/reconcile/core/replace-failed.ts'
import type { Step } from '../../src/reconcile/core/step.ts'
import type { MemoryState } from './memory-state.ts'
import type { Random } from './random.ts'
import { portRange } from './records.ts'

/** How containers of an image behave. */
export type Character = 'good' | 'crashes' | 'sick' | 'never-starts'

export const characterOf = (image: string): Character => {
  for (const character of ['crashes', 'sick', 'never-starts'] as const) {
    if (image.includes(character)) return character
  }
  return 'good'
}

export interface Watcher {
  /** Before the steps of one reconcile are applied, and after. */
  before?(key: ServiceKey, steps: readonly Step[]): void
  after?(key: ServiceKey, steps: readonly Step[]): void
}

const roundLimit = 60

/**
 * Agents and containers, reduced to what they report: a cut-off node goes on running what it has,
 * and tells when it is back. `containers` is the truth: what runs, whatever the records say.
 */
export class World {
  readonly state: MemoryState
  readonly random: Random
  readonly watchers: Watcher[] = []
  readonly cutOff = new Set<string>()
  readonly containers = new Set<string>()
  /** Chances per instance and turn. */
  trouble = { crash: 0, sickness: 0, refusal: 0 }
  movesLeft = 1
  dueAtMs: number | null = null
  /** Of every node that is lost. */
  leasesEndAtMs = Infinity

  constructor(state: MemoryState, random: Random) {
    this.state = state
    this.random = random
  }

  get context(): ReconcileContext {
    const { nowMs, cluster: lineageSeed } = this.state
    const { movesLeft } = this
    return {
      nowMs,
      lineageSeed,
      portRange,
      rebalance: { enabled: true, movesLeft },
      leaseEndsAtMs: () => this.leasesEndAtMs,
      trafficOf: (ids) => this.#trafficOf(ids),
    }
  }

  /** Every instance that runs has had some requests; of some images all fail. */
  #trafficOf(ids: readonly string[]): { requests: number; errors: number } {
    let [requests, errors] = [0, 0]
    for (const id of ids) {
      const instance = this.state.instances.get(id)
      if (instance?.observed.state !== 'running') continue
      const spec = this.state.revisionOf(instance.service, instance.revision)?.spec
      requests += 30
      errors += spec?.image.includes('errors') ? 30 : 0
    }
    return { requests, errors }
  }

  /** Reconciles everything until nothing more is to be done; returns the number of steps. */
  settle(): number {
    let total = 0
    for (let round = 0; round < roundLimit; round++) {
      const count = this.#round()
      total += count
      if (count === 0) return total
    }
    throw new Error(`no fixed point after ${roundLimit} rounds`)
  }

  /** Throws when time alone changes something before anybody was told to look again. */
  checkQuiet(): void {
    const { state, context } = this
    for (const key of state.services.keys()) {
      const { dueAtMs } = reconcile(state, key, context)
      const laterMs = this.random.integer(1, 7_200_000)
      const nowMs = Math.min(state.nowMs + laterMs, (dueAtMs ?? Number.POSITIVE_INFINITY) - 1)
      const { steps } = reconcile(state, key, { ...context, nowMs })
      if (steps.length > 0) {
        throw new Error(`${key}: ${JSON.stringify(steps)} before ${dueAtMs}, at ${nowMs}`)
      }
    }
  }

  #round(): number {
    let count = 0
    this.dueAtMs = null
    for (const key of [...this.state.services.keys()].toSorted()) {
      const { steps, dueAtMs } = reconcile(this.state, key, this.context)
      if (dueAtMs !== null) {
        if (dueAtMs <= this.state.nowMs) throw new Error(`due in the past: ${key}`)
        this.dueAtMs = Math.min(this.dueAtMs ?? dueAtMs, dueAtMs)
      }
      count += steps.length
      for (const watcher of this.watchers) watcher.before?.(key, steps)
      applySteps(this.state, key, steps)
      for (const watcher of this.watchers) watcher.after?.(key, steps)
    }
    return count
  }

  /** One turn of all agents that are heard. */
  turn(elapsedMs: number): void {
    this.state.nowMs += elapsedMs
    for (const name of [...this.state.nodes.keys()].toSorted()) {
      if (!this.cutOff.has(name)) this.#report(name)
    }
  }

  #report(name: string): void {
    for (const instance of this.state.instancesOn(name)) {
      if (isGone(instance)) continue
      if (instance.lostAtMs !== null || instance.desired === 'stop') this.#end(instance)
      else if (this.state.nowMs >= instance.startAtMs) this.#run(instance)
    }
  }

  #end(instance: Instance): void {
    const { state } = instance.observed
    if (state === 'running' && this.random.chance(0.4)) return
    this.containers.delete(instance.id)
    this.#observe(instance, { state: 'stopped', health: 'unknown', healthySinceMs: null })
  }

  #run(instance: Instance): void {
    const { nowMs } = this.state
    const image = this.state.revisionOf(instance.service, instance.revision)?.spec.image ?? ''
    const character = characterOf(image)
    const { state, health } = instance.observed
    if (state === 'assigned') {
      if (character === 'never-starts' || this.random.chance(this.trouble.refusal)) {
        this.#fail(instance, true)
        return
      }
      if (this.random.chance(0.3)) return
      this.containers.add(instance.id)
      this.#observe(instance, { state: 'running', health: 'starting', startedAtMs: nowMs })
      return
    }
    if (character === 'crashes' || this.random.chance(this.trouble.crash)) {
      this.#fail(instance, false)
    } else if (health === 'healthy') {
      if (!this.random.chance(this.trouble.sickness)) return
      this.#observe(instance, { health: 'unhealthy', healthySinceMs: null })
    } else if (character === 'good') {
      if (this.random.chance(0.3)) return
      this.#observe(instance, { health: 'healthy', healthySinceMs: nowMs })
    }
  }

  /** A container that ran is followed by its successor on the spot, in the same report. */
  #fail(instance: Instance, neverStarted: boolean): void {
    const { nowMs } = this.state
    this.containers.delete(instance.id)
    this.#observe(instance, {
      state: 'failed',
      health: 'unhealthy',
      healthySinceMs: null,
      finishedAtMs: nowMs,
      reason: neverStarted ? 'image not found' : 'exited with code 1',
      neverStarted,
    })
    if (neverStarted) return
    const restart = this.state.revisionOf(instance.service, instance.revision)?.template.restart
    if (!restart) return
    const ranMs = nowMs - (instance.observed.startedAtMs ?? nowMs)
    const attempt = ranMs >= restart.resetAfterMs ? 1 : instance.attempt + 1
    this.state.putInstance({
      ...instance,
      id: successorInstanceId(instance.id),
      predecessor: instance.id,
      attempt,
      startAtMs: nowMs + backOffMs(attempt, restart),
      createdAtMs: nowMs,
      observed: {
        ...instance.observed,
        state: 'assigned',
        health: 'unknown',
        startedAtMs: null,
        healthySinceMs: null,
      },
    })
  }

  #observe(instance: Instance, change: Partial<Observed>): void {
    this.state.putInstance({ ...instance, observed: { ...instance.observed, ...change } })
  }

  cut(node: Node): void {
    this.cutOff.add(node.name)
    this.state.putNode({ ...node, liveness: 'suspect' })
  }

  lose(node: Node): void {
    this.cutOff.add(node.name)
    this.state.putNode({ ...node, liveness: 'lost' })
  }

  /**
   * The node is heard from again, with an inventory: what should run there and does not has failed.
   */
  return(node: Node): void {
    this.cutOff.delete(node.name)
    this.state.putNode({ ...node, liveness: 'ready', confirmedDead: false })
    for (const instance of this.state.instancesOn(node.name)) {
      if (isGone(instance) || this.containers.has(instance.id)) continue
      const finishedAtMs = this.state.nowMs
      const ended = { health: 'unknown', healthySinceMs: null, finishedAtMs } as const
      if (instance.lostAtMs !== null || instance.desired === 'stop') {
        this.#observe(instance, { ...ended, state: 'stopped' })
      } else if (instance.observed.state === 'running') {
        this.#observe(instance, { ...ended, state: 'failed', reason: 'its container is gone' })
      }
    }
  }

  /** The machine is off, and an operator says so. */
  confirmDead(node: Node): void {
    this.cutOff.add(node.name)
    for (const { id } of this.state.instancesOn(node.name)) this.containers.delete(id)
    this.state.putNode({ ...node, liveness: 'lost', confirmedDead: true })
  }

  remove(node: Node): void {
    for (const { id } of this.state.instancesOn(node.name)) {
      this.containers.delete(id)
      // Some removals leave the records to the reconciler.
      if (this.random.chance(0.5)) this.state.deleteInstance(id)
    }
    this.cutOff.delete(node.name)
    this.state.deleteNode(node.name)
  }
}
