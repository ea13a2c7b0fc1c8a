import { type Clock, type InstanceReport, type Observed, sleep, type Timer } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { acceptAssignments, type AssignmentsMessage } from './core/accept.ts'
import type { Action } from './core/action.ts'
import { assort } from './core/assort.ts'
import { catchUp } from './core/catch-up.ts'
import { dueLeftovers, leftoversOf, reportsOfRemoved, reportsOfUnclaimed } from './core/claims.ts'
import type { ContainerInfo } from './core/container.ts'
import { isUnwanted, type Lineage, observe, reportsOf } from './core/lineage.ts'
import { ownership } from './core/ownership.ts'
import { plan } from './core/plan.ts'
import { settle } from './core/settle.ts'
import type { LineageView } from './core/view.ts'
import type { Drains } from './drains.ts'
import type { EngineWatch } from './engine/engine-watch.ts'
import type { Pulls } from './engine/pulls.ts'
import type { EngineAction, Executor } from './execute.ts'
import type { ProbeSync } from './health/probe-sync.ts'
import type { LineageStore } from './lineage-store.ts'
import { Preparer } from './preparer.ts'
import type { LeaseKeeper } from './session/lease-keeper.ts'

export interface SupervisorDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: LineageStore
  readonly watch: EngineWatch
  readonly executor: Pick<Executor, 'perform' | 'discard' | 'isIdle'>
  readonly probes: ProbeSync
  readonly drains: Drains
  readonly pulls: Pick<Pulls, 'isAbsent'>
  readonly lease: Pick<LeaseKeeper, 'standing'>
  /** The current link of `lineage` is about to be noted as failed. */
  readonly onFailure: (lineage: Lineage, failed: Observed) => void
  /** A container without a record has been removed: the last there is to say of it. */
  readonly onRemoved: (report: InstanceReport) => void
  /** What the control plane may not have heard yet of the end of an instance without a record. */
  readonly farewell: (instance: string) => InstanceReport | undefined
  readonly preparedLimit: number
}

/** Bookkeeping steps of one lineage in a row; more means that the plan runs in circles. */
const maxSteps = 32
const discardRetryMs = 5000

/** Makes what runs be what is assigned: plans for each lineage of which anything changed, and carries it out. */
export class Supervisor {
  readonly #deps: SupervisorDeps
  readonly #preparer: Preparer
  readonly #dirty = new Set<string>()
  readonly #busy = new Map<string, AbortController>()
  readonly #timers = new Map<string, Timer>()
  readonly #discarding = new Set<string>()
  #scheduled = false
  #sawFullSet = false
  #early: readonly AssignmentsMessage[] = []
  #stopped = false

  constructor(deps: SupervisorDeps) {
    this.#deps = deps
    const { preparedLimit: limit, ...rest } = deps
    this.#preparer = new Preparer({ ...rest, limit, mark: (key) => this.#mark(key) })
  }

  /** Plans on its own account from time to time, until `signal` is aborted; containers stay as they are then. */
  run(signal: AbortSignal): void {
    this.#preparer.run(signal)
    signal.addEventListener('abort', () => this.#stop(), { once: true })
    this.markAll()
  }

  /** Before the engine has listed its containers, nobody knows what of it is already there: it waits until then. */
  accept(message: AssignmentsMessage): void {
    if (!this.#deps.watch.hasListed) {
      this.#early = message.from === null ? [message] : [...this.#early, message]
      return
    }
    const { store, watch, clock, farewell } = this.#deps
    const owned = watch.containers.all()
    const next = acceptAssignments(store.all, message, owned, clock.nowMs(), farewell)
    for (const lineage of next.values()) {
      if (store.get(lineage.key) === lineage) continue
      store.update(lineage)
      if (isUnwanted(lineage)) this.#callOffPull(lineage)
      this.#mark(lineage.key)
    }
    if (message.from === null) this.#sawFullSet = true
    this.#discardLeftovers()
  }

  /** Everything there is to report, for a control plane that may know nothing of it. */
  inventory(): readonly InstanceReport[] {
    const { store, watch } = this.#deps
    const known = [...store.all.values()].flatMap(reportsOf)
    return [...known, ...reportsOfUnclaimed(watch.containers.all(), store.all)]
  }

  markInstance(instance: string): void {
    const lineage = this.#deps.store.find(instance)
    if (lineage) this.#mark(lineage.key)
    else this.#discardLeftovers()
  }

  /** Plans for everything before it returns, so that what follows from it has been noted by then. */
  markAll(): void {
    const early = this.#early
    this.#early = []
    this.#catchUp()
    for (const message of early) this.accept(message)
    for (const key of this.#deps.store.all.keys()) this.#mark(key)
    this.#tick()
    this.#discardLeftovers()
  }

  /** Removes containers that wait to be started and that `isStale` says would not do any more; they are made anew. */
  discardWaiting(isStale: (container: ContainerInfo) => boolean, reason: string): void {
    const { watch, store } = this.#deps
    for (const container of watch.containers.all()) {
      if (container.state !== 'created' || !isStale(container)) continue
      const instance = container.labels[ownership.instance] ?? ''
      const lineage = store.find(instance)
      const current = lineage?.current
      const isBeingStarted = current?.id === instance && current.observed.state === 'starting'
      if (lineage && !isBeingStarted) void this.#discard(container.id, reason, lineage)
    }
  }

  /** The lease of this node has changed its standing. */
  markExclusive(): void {
    for (const { key, assignment } of this.#deps.store.all.values()) {
      if (assignment.template.exclusive) this.#mark(key)
    }
    this.#discardLeftovers()
  }

  #catchUp(): void {
    const { store, watch, clock } = this.#deps
    const owned = watch.containers.all()
    for (const lineage of store.all.values()) store.update(catchUp(lineage, owned, clock.nowMs()))
  }

  /** How far the pull of an image has got: what its instances wait for. */
  notePull(reference: string, text: string): void {
    const { store, clock } = this.#deps
    for (const lineage of store.all.values()) {
      const { current, assignment } = lineage
      const { image } = assignment.template
      if (image.reference !== reference || current.observed.state !== 'pulling') continue
      const reason = `the image ${image.name} is being pulled: ${text}`
      const observed = { ...current.observed, reason }
      store.update({ ...lineage, current: observe(current, observed, clock.nowMs()) })
    }
  }

  #stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) timer.cancel()
    for (const controller of this.#busy.values()) controller.abort()
  }

  #mark(key: string): void {
    this.#dirty.add(key)
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.#tick())
  }

  #tick(): void {
    this.#scheduled = false
    if (this.#stopped) return
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    for (const key of dirty) {
      // What is being done for it marks it again when it is done.
      if (!this.#busy.has(key)) this.#advance(key)
    }
  }

  #advance(key: string): void {
    for (let step = 0; step < maxSteps; step++) {
      const lineage = this.#deps.store.get(key)
      if (!lineage) return
      const view = this.#view(lineage)
      const nowMs = this.#deps.clock.nowMs()
      const { actions, dueAtMs } = plan(view, nowMs)
      this.#wake(key, dueAtMs === null ? null : dueAtMs - nowMs)
      if (!this.#take(lineage, actions, nowMs)) return
    }
    this.#deps.logger.error({ lineage: key }, 'the plan for a lineage does not come to rest')
  }

  /** True when the lineage has changed by it and is to be planned for again at once. */
  #take(lineage: Lineage, actions: readonly Action[], nowMs: number): boolean {
    const { store } = this.#deps
    for (const action of actions) {
      switch (action.kind) {
        case 'discard':
          void this.#discard(action.containerId, action.reason, lineage)
          break
        case 'forget':
          store.forget(lineage)
          return false
        case 'prepare':
          void this.#preparer.prepare(lineage, action).then(() => this.#discardLeftovers())
          break
        case 'observe':
        case 'succeed':
          this.#note(lineage, action, nowMs)
          return true
        case 'pull':
        case 'create':
        case 'start':
        case 'signal':
        case 'kill':
        case 'remove':
          void this.#perform(lineage, action)
          return false
      }
    }
    return false
  }

  #note(lineage: Lineage, action: Action & { kind: 'observe' | 'succeed' }, nowMs: number): void {
    const { store, probes, logger, onFailure } = this.#deps
    const { state, health, reason } = action.observed
    // On the way up each step is soon followed by the next.
    const level = state === 'created' || state === 'starting' ? 'debug' : 'info'
    logger[level]({ instance: action.instance, state, health }, reason)
    if (action.kind === 'succeed') {
      probes.drop(action.instance)
      onFailure(lineage, action.observed)
    }
    store.update(settle(lineage, action, { ok: true }, nowMs))
  }

  #view(lineage: Lineage): LineageView {
    const { watch, pulls, probes, drains, lease } = this.#deps
    const sorted = assort(lineage, (id) => watch.containers.ofInstance(id))
    return {
      lineage,
      ...sorted,
      health: probes.sync(lineage, sorted.container),
      engineReady: watch.isReady,
      imageAbsent: pulls.isAbsent(lineage.assignment.template.image.reference),
      mayPrepare: this.#preparer.isAllowed,
      isQuiet: drains.sync(lineage, sorted.container),
      lease: lease.standing,
    }
  }

  async #perform(
    lineage: Lineage,
    action: Exclude<EngineAction, { kind: 'discard' | 'prepare' }>,
  ): Promise<void> {
    const { executor, logger, store, clock } = this.#deps
    const controller = new AbortController()
    this.#busy.set(lineage.key, controller)
    const outcome = await executor.perform(action, lineage, controller.signal)
    this.#busy.delete(lineage.key)
    if (!outcome.ok) logger.warn({ action, outcome }, 'the engine did not do what was planned')
    const current = store.get(lineage.key)
    if (!current) return
    store.update(settle(current, action, outcome, clock.nowMs()))
    this.#mark(lineage.key)
  }

  /** Only a pull takes long, and it is the one thing that can be left off half-way. */
  #callOffPull(lineage: Lineage): void {
    if (lineage.current.observed.state === 'pulling') this.#busy.get(lineage.key)?.abort()
  }

  async #discard(containerId: string, reason: string, lineage?: Lineage): Promise<void> {
    if (this.#discarding.has(containerId)) return
    this.#discarding.add(containerId)
    const { executor, logger, clock } = this.#deps
    logger.info({ containerId, reason }, 'removing a container')
    const outcome = await executor.discard(containerId)
    if (!outcome.ok) {
      logger.warn({ containerId, outcome }, 'a container could not be removed; trying again')
      await sleep(clock, discardRetryMs)
    }
    this.#discarding.delete(containerId)
    if (lineage) this.#mark(lineage.key)
    // The lineage that it belonged to may have been forgotten meanwhile.
    if (!outcome.ok) this.#discardLeftovers()
  }

  #discardLeftovers(): void {
    const { store, watch, lease } = this.#deps
    if (!watch.isReady || this.#stopped) return
    const leftovers = leftoversOf(watch.containers.all(), store.all)
    const due = dueLeftovers(leftovers, this.#sawFullSet, lease.standing)
    for (const { container, reason } of due) void this.#discardLeftover(container, reason)
  }

  /** Nobody else would ever tell that it is gone: there is no record of it here, unless one has come meanwhile. */
  async #discardLeftover(container: ContainerInfo, reason: string): Promise<void> {
    if (this.#discarding.has(container.id)) return
    await this.#discard(container.id, reason)
    const { store, watch, clock, onRemoved } = this.#deps
    const isClaimed = store.find(container.labels[ownership.instance] ?? '') !== undefined
    if (isClaimed || watch.containers.get(container.id)) return
    for (const report of reportsOfRemoved(container, clock.nowMs())) onRemoved(report)
  }

  #wake(key: string, delayMs: number | null): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
    if (delayMs === null) return
    this.#timers.set(key, this.#deps.clock.after(Math.ceil(delayMs), () => this.#mark(key)))
  }
}
