import type { Clock, ServiceKey, Timer } from '@bulkhead/shared'

import type { Config } from '../config/config.ts'
import type { Logger } from '../logger.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import type { State } from '../state/state.ts'
import type { Changed, ClusterView, Commit, Transaction } from '../state/view.ts'
import { applySteps } from './apply-steps.ts'
import { reconcileContext } from './context.ts'
import { isMoveForBalance } from './core/rebalance.ts'
import { reconcile } from './core/reconcile.ts'

/** Services reconciled in one transaction. */
const batchSize = 500
/** Services that wait for room look again at most this often when room may have been made. */
const waitingEveryMs = 100
/** After a refused write (a full disk, say) the same work is tried again this much later. */
const retryAfterMs = 1000
/** Everything is reconciled again this often, events or not. */
const resyncEveryMs = 60_000

export interface LoopDeps {
  readonly state: State
  readonly clock: Clock
  readonly config: Config
  readonly monitor: Pick<NodeMonitor, 'leaseEndsAtMs'>
  readonly logger: Logger
}

/**
 * Keeps which services need a look, and looks: level-triggered, in bounded batches, each batch one transaction.
 * What an event says is never acted upon; it only marks services dirty.
 */
export class ReconcileLoop {
  readonly #deps: LoopDeps
  readonly #dirty = new Set<ServiceKey>()
  readonly #timers = new Map<ServiceKey, Timer>()
  /** Services with something that found no room, or that waits for another service. */
  readonly #waiting = new Set<ServiceKey>()
  /** Services in which a move of the rebalancer is under way. */
  readonly #moving = new Set<ServiceKey>()
  #signal: AbortSignal | null = null
  #ticking = false
  #waitingTimer: Timer | null = null

  constructor(deps: LoopDeps) {
    this.#deps = deps
  }

  start(signal: AbortSignal): void {
    this.#signal = signal
    const resync = (): void => {
      if (signal.aborted) return
      for (const key of this.#deps.state.view.services.keys()) this.#dirty.add(key)
      this.#wake()
      this.#deps.clock.after(resyncEveryMs, resync)
    }
    resync()
    signal.addEventListener('abort', () => {
      for (const timer of this.#timers.values()) timer.cancel()
      this.#waitingTimer?.cancel()
    })
  }

  mark(key: ServiceKey): void {
    this.#dirty.add(key)
    this.#wake()
  }

  /** Takes in durable commits. */
  follow(commits: readonly Commit[]): void {
    let roomMade = false
    for (const { changes } of commits) {
      for (const change of changes) roomMade = this.#take(change) || roomMade
    }
    if (roomMade) this.#wakeWaiting()
    this.#wake()
  }

  /** Marks whom the change concerns; true when somebody who waits may find room now. */
  #take(change: Changed): boolean {
    const { view } = this.#deps.state
    switch (change.kind) {
      case 'service':
        this.#dirty.add(change.key)
        for (const dependent of view.dependentsOf(change.key)) this.#dirty.add(dependent)
        return change.after === undefined
      case 'revision':
      case 'rollout': {
        const service = (change.after ?? change.before)?.service
        if (service !== undefined) this.#dirty.add(service)
        return change.kind === 'revision'
      }
      case 'instance': {
        const service = (change.after ?? change.before)?.service
        if (service === undefined) return false
        this.#dirty.add(service)
        const healthBefore = change.before?.observed.health
        if (healthBefore !== change.after?.observed.health) {
          for (const dependent of view.dependentsOf(service)) this.#dirty.add(dependent)
        }
        return change.before?.observed.state !== change.after?.observed.state
      }
      case 'node':
        this.#takeNode(view, change.key)
        return true
      case 'zones':
        for (const key of view.services.keys()) this.#dirty.add(key)
        return true
      case 'token':
        return false
      default:
        return change satisfies never
    }
  }

  #takeNode(view: ClusterView, name: string): void {
    for (const instance of view.instancesOn(name)) this.#dirty.add(instance.service)
    if (!this.#deps.config.rebalance.enabled) return
    // A node that came (back) may take over instances of services in its zones.
    const node = view.nodes.get(name)
    if (node?.liveness !== 'ready' || node.admittance !== 'open') return
    for (const service of view.services.values()) {
      const zone = view.revisionOf(service.key, service.revision)?.spec.zone
      if (zone !== undefined && node.facts.zones.includes(zone)) this.#dirty.add(service.key)
    }
  }

  #wakeWaiting(): void {
    if (this.#waitingTimer !== null || this.#waiting.size === 0) return
    this.#waitingTimer = this.#deps.clock.after(waitingEveryMs, () => {
      this.#waitingTimer = null
      for (const key of this.#waiting) this.#dirty.add(key)
      this.#wake()
    })
  }

  #wake(): void {
    if (this.#ticking || this.#dirty.size === 0 || this.#signal === null || this.#signal.aborted) return
    this.#ticking = true
    this.#deps.clock.after(0, () => void this.#tickAndGoOn())
  }

  async #tickAndGoOn(): Promise<void> {
    let pauseMs = 0
    try {
      await this.#tick()
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'a reconcile could not be written; it is tried again')
      pauseMs = retryAfterMs
    }
    this.#ticking = false
    if (pauseMs === 0) this.#wake()
    else this.#deps.clock.after(pauseMs, () => this.#wake())
  }

  async #tick(): Promise<void> {
    const batch = [...this.#dirty].toSorted().slice(0, batchSize)
    for (const key of batch) this.#dirty.delete(key)
    try {
      await this.#deps.state.write({ actor: 'controlplane' }, (tx) => {
        for (const key of batch) this.#reconcile(tx, key)
      })
    } catch (error) {
      for (const key of batch) this.#dirty.add(key)
      throw error
    }
  }

  #reconcile(tx: Transaction, key: ServiceKey): void {
    const { config } = this.#deps
    if (!tx.services.has(key)) {
      this.#forget(key)
      return
    }
    if (tx.services.get(key)?.status === 'converged') this.#moving.delete(key)
    const movesLeft = config.rebalance.maxAtOnce - this.#moving.size
    const { steps, dueAtMs } = reconcile(tx, key, reconcileContext(tx, this.#deps, movesLeft))
    if (steps.some((step) => step.kind === 'create' && isMoveForBalance(step.reason))) this.#moving.add(key)
    applySteps(tx, key, steps)
    const after = tx.services.get(key)
    if (!after) {
      this.#forget(key)
      return
    }
    if (after.status === 'converged') this.#waiting.delete(key)
    else this.#waiting.add(key)
    this.#schedule(key, dueAtMs, tx.nowMs)
  }

  #schedule(key: ServiceKey, dueAtMs: number | null, nowMs: number): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
    if (dueAtMs === null) return
    const timer = this.#deps.clock.after(Math.max(dueAtMs - nowMs, 1), () => this.mark(key))
    this.#timers.set(key, timer)
  }

  #forget(key: ServiceKey): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
    this.#waiting.delete(key)
    this.#moving.delete(key)
  }
}
