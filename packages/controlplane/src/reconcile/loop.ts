import type { Clock, ServiceKey, Timer } from '@bulkhead/shared'

import type { Config } from '../config/config.ts'
import type { Logger } from '../logger.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import type { TrafficLedger } from '../rollout/traffic-ledger.ts'
import type { Written } from '../state/group-commit.ts'
import type { State } from '../state/state.ts'
import type { Changed, ClusterView, Commit, Transaction } from '../state/view.ts'
import { applySteps } from './apply-steps.ts'
import { addAsked, type Asked } from './asked.ts'
import { reconcileContext } from './context.ts'
import { isMoveForBalance } from './core/rebalance.ts'
import { reconcile } from './core/reconcile.ts'
import { type Urgency, WorkQueue } from './work-queue.ts'

/** One transaction looks at about so many instances, and writes half as many steps: agents must not wait for it. */
const lookedAtPerTick = 2_000
const costOfStep = 2
/** While one tick is on its way to the disk the next one is made; no more, so that what is urgent does not wait. */
const ticksAtOnce = 2
/** A change of so many services or fewer is answered in the same commit; nobody waits for more. */
const answeredAtOnce = 4
/** What agents report is answered so when the service has at most so many instances: readers of it are waiting. */
const smallService = 250
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
  readonly traffic: Pick<TrafficLedger, 'sum'>
  readonly logger: Logger
}

/**
 * Keeps which services need a look, and looks: level-triggered, in bounded batches, each batch one transaction.
 * What an event says is never acted upon; it only marks services dirty.
 */
export class ReconcileLoop {
  readonly #deps: LoopDeps
  readonly #queue = new WorkQueue()
  readonly #timers = new Map<ServiceKey, Timer>()
  /** Services with something that found no room. */
  readonly #waiting = new Set<ServiceKey>()
  /** Zones with a node that came (back): it may take over instances of services there. */
  readonly #offering = new Set<string>()
  /** Services in which a move of the rebalancer is under way. */
  readonly #moving = new Set<ServiceKey>()
  #signal: AbortSignal | null = null
  #isDue = false
  #isResting = false
  #underWay = 0
  /** Revisions of ticks on their way to the disk: what they changed calls for another look, which is nobody's hurry. */
  readonly #own = new Set<number>()
  /** Revisions that go to the disk with their answer, and the services that were looked at for them. */
  readonly #answered = new Map<number, ReadonlySet<ServiceKey>>()
  #roomTimer: Timer | null = null

  constructor(deps: LoopDeps) {
    this.#deps = deps
  }

  start(signal: AbortSignal): void {
    this.#signal = signal
    const resync = (): void => {
      if (signal.aborted) return
      for (const key of this.#deps.state.view.services.keys()) this.#queue.add(key, 'routine')
      this.#wake()
      this.#deps.clock.after(resyncEveryMs, resync)
    }
    resync()
    this.#deps.state.answerWith((written) => this.#answer(written), signal)
    signal.addEventListener('abort', () => {
      for (const timer of this.#timers.values()) timer.cancel()
      this.#roomTimer?.cancel()
    })
  }

  /** Something that is on no record calls for a look at these services. */
  look(services: Iterable<ServiceKey>): void {
    for (const key of services) this.#queue.add(key, 'observed')
    this.#wake()
  }

  /** Takes in durable commits. */
  follow(commits: readonly Commit[]): void {
    let roomMade = false
    for (const { revision, changes } of commits) {
      for (const change of changes) roomMade = this.#take(change, revision) || roomMade
    }
    if (roomMade) this.#roomMade()
    this.#wake()
  }

  /** What calls for a look at little is looked at now, so that the answer goes to the disk with it. */
  #answer(written: readonly Written[]): void {
    const asked: Asked = { wanted: new Set(), observed: new Set() }
    const others = written.filter(({ revision }) => !this.#own.has(revision))
    for (const { changes } of others) addAsked(asked, changes)
    const { view } = this.#deps.state
    const small = [...asked.observed].filter((key) => view.instancesOf(key).length <= smallService)
    const keys = new Set([...asked.wanted, ...small])
    if (keys.size === 0 || keys.size > answeredAtOnce) return
    if (this.#isResting || this.#underWay >= ticksAtOnce) return
    const looked = new Set<ServiceKey>()
    for (const { revision } of others) this.#answered.set(revision, looked)
    const forget = (): void => {
      for (const { revision } of others) this.#answered.delete(revision)
    }
    void this.#tick(this.#takeOut(keys, looked)).finally(forget)
  }

  *#takeOut(keys: Iterable<ServiceKey>, taken: Set<ServiceKey>): Generator<ServiceKey, undefined> {
    for (const key of keys) {
      this.#queue.delete(key)
      taken.add(key)
      yield key
    }
    return undefined
  }

  /** Marks whom the change concerns; true when somebody who waits may find room now. */
  #take(change: Changed, revision: number): boolean {
    const { view } = this.#deps.state
    const own = this.#own.has(revision)
    const observed = own ? 'follow-up' : 'observed'
    const wanted = own ? 'follow-up' : 'wanted'
    const mark = (key: ServiceKey, urgency: Urgency): void => {
      if (!this.#answered.get(revision)?.has(key)) this.#queue.add(key, urgency)
    }
    switch (change.kind) {
      case 'service':
        mark(change.key, wanted)
        for (const dependent of view.dependentsOf(change.key)) this.#queue.add(dependent, observed)
        return change.after === undefined
      case 'revision':
      case 'rollout': {
        const service = (change.after ?? change.before)?.service
        if (service !== undefined) mark(service, wanted)
        return change.kind === 'revision'
      }
      case 'instance': {
        const service = (change.after ?? change.before)?.service
        if (service === undefined) return false
        mark(service, observed)
        const healthBefore = change.before?.observed.health
        if (healthBefore !== change.after?.observed.health) {
          for (const dependent of view.dependentsOf(service)) this.#queue.add(dependent, observed)
        }
        return change.before?.observed.state !== change.after?.observed.state
      }
      case 'node':
        this.#takeNode(view, change.key)
        return true
      case 'zones':
        for (const key of view.services.keys()) this.#queue.add(key, 'routine')
        return true
      case 'external':
      case 'token':
      case 'secret':
        return false
      default:
        return change satisfies never
    }
  }

  #takeNode(view: ClusterView, name: string): void {
    for (const { service } of view.instancesOn(name)) this.#queue.add(service, 'observed')
    const node = view.nodes.get(name)
    if (node?.liveness !== 'ready' || node.admittance !== 'open') return
    for (const zone of node.facts.zones) this.#offering.add(zone)
  }

  #roomMade(): void {
    if (this.#roomTimer !== null || this.#waiting.size + this.#offering.size === 0) return
    this.#roomTimer = this.#deps.clock.after(waitingEveryMs, () => {
      this.#roomTimer = null
      for (const key of this.#waiting) this.#queue.add(key, 'follow-up')
      if (this.#deps.config.rebalance.enabled && this.#offering.size > 0) this.#offerBalance()
      this.#offering.clear()
      this.#wake()
    })
  }

  #offerBalance(): void {
    const { view } = this.#deps.state
    for (const { key, revision } of view.services.values()) {
      const zone = view.revisionOf(key, revision)?.spec.zone
      if (zone !== undefined && this.#offering.has(zone)) this.#queue.add(key, 'routine')
    }
  }

  #wake(): void {
    const idle = this.#queue.size === 0 || this.#signal === null || this.#signal.aborted
    if (idle || this.#isDue || this.#isResting || this.#underWay >= ticksAtOnce) return
    this.#isDue = true
    this.#deps.clock.after(0, () => {
      this.#isDue = false
      if (this.#signal?.aborted) return
      void this.#tick(this.#queue.drain())
      this.#wake()
    })
  }

  async #tick(keys: Iterable<ServiceKey>): Promise<void> {
    const { state, logger } = this.#deps
    const batch: ServiceKey[] = []
    let own = -1
    this.#underWay++
    try {
      const written = state.write({ actor: 'controlplane' }, (tx) => {
        own = tx.revision
        this.#reconcileSome(tx, keys, batch)
      })
      // A tick that changes nothing leaves its revision to somebody else.
      if (state.view.revision === own) this.#own.add(own)
      await written
    } catch (error) {
      logger.error({ err: error }, 'a reconcile could not be written; it is tried again')
      for (const key of batch) this.#queue.add(key, 'observed')
      this.#rest()
    }
    this.#own.delete(own)
    this.#underWay--
    this.#wake()
  }

  /** As much as one transaction should hold; `batch` is told what it looked at. */
  #reconcileSome(tx: Transaction, keys: Iterable<ServiceKey>, batch: ServiceKey[]): void {
    let cost = 0
    for (const key of keys) {
      batch.push(key)
      cost += this.#reconcile(tx, key)
      if (cost >= lookedAtPerTick) return
    }
  }

  #rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    this.#deps.clock.after(retryAfterMs, () => {
      this.#isResting = false
      this.#wake()
    })
  }

  /** Returns what it has cost, in instances looked at. */
  #reconcile(tx: Transaction, key: ServiceKey): number {
    const { config } = this.#deps
    if (!tx.services.has(key)) {
      this.#forget(key)
      return 1
    }
    if (tx.services.get(key)?.status === 'converged') this.#moving.delete(key)
    const movesLeft = config.rebalance.maxAtOnce - this.#moving.size
    const context = reconcileContext(tx, this.#deps, movesLeft)
    const { steps, dueAtMs, lacksRoom } = reconcile(tx, key, context)
    if (steps.some((step) => step.kind === 'create' && isMoveForBalance(step.reason)))
      this.#moving.add(key)
    applySteps(tx, key, steps)
    const after = tx.services.get(key)
    if (!after) this.#forget(key)
    else {
      if (lacksRoom && after.status !== 'converged') this.#waiting.add(key)
      else this.#waiting.delete(key)
      this.#schedule(key, dueAtMs, tx.nowMs)
    }
    return 1 + tx.instancesOf(key).length + steps.length * costOfStep
  }

  #schedule(key: ServiceKey, dueAtMs: number | null, nowMs: number): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
    if (dueAtMs === null) return
    const timer = this.#deps.clock.after(Math.max(dueAtMs - nowMs, 1), () => {
      this.#queue.add(key, 'observed')
      this.#wake()
    })
    this.#timers.set(key, timer)
  }

  #forget(key: ServiceKey): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
    this.#waiting.delete(key)
    this.#moving.delete(key)
  }
}
