import { type Clock, type InstanceReport, type Observed, type Timer } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { acceptAssignments, type AssignmentsMessage, joined } from './core/accept.ts'
import type { Action } from './core/action.ts'
import { assort } from './core/assort.ts'
import { catchUp } from './core/catch-up.ts'
import { reportsOfUnclaimed } from './core/claims.ts'
import { isUnwanted, type Lineage, observe, reportsOf } from './core/lineage.ts'
import { plan } from './core/plan.ts'
import { mayRenew } from './core/renewal.ts'
import { rivalOf } from './core/rival.ts'
import { settle } from './core/settle.ts'
import type { LineageView } from './core/view.ts'
import { Discards } from './discards.ts'
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

/** Makes what runs be what is assigned: plans for each lineage of which anything changed, and carries it out. */
export class Supervisor {
  readonly #deps: SupervisorDeps
  readonly #preparer: Preparer
  readonly #dirty = new Set<string>()
  readonly #busy = new Map<string, AbortController>()
  readonly #timers = new Map<string, Timer>()
  /** Lineages that wait until their slot is free on this node. */
  readonly #waiting = new Set<string>()
  readonly discards: Discards
  #scheduled = false
  #early: AssignmentsMessage | null = null
  #stopped = false

  constructor(deps: SupervisorDeps) {
    this.#deps = deps
    const { preparedLimit: limit, ...rest } = deps
    const mark = (key: string): void => this.#mark(key)
    this.#preparer = new Preparer({ ...rest, limit, mark })
    this.discards = new Discards({ ...rest, mark })
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
      this.#early = this.#early ? joined(this.#early, message) : message
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
    if (message.from === null) this.discards.sawFullSet()
    this.discards.leftovers()
  }

  /** Everything there is to report, for a control plane that may know nothing of it. */
  inventory(): readonly InstanceReport[] {
    const { store, watch } = this.#deps
    const known = [...store.all.values()].flatMap(reportsOf)
    const unclaimed = reportsOfUnclaimed(watch.containers.all(), store.all)
    this.discards.toldOf(unclaimed)
    return [...known, ...unclaimed]
  }

  /** False while something exclusive may run here that belongs elsewhere and that nobody can end. */
  mayRenew(): boolean {
    const { store, watch, clock } = this.#deps
    return watch.isReady || mayRenew(store.all, this.#early, clock.nowMs())
  }

  markInstance(instance: string): void {
    const lineage = this.#deps.store.find(instance)
    if (lineage) this.#mark(lineage.key)
    else this.discards.leftovers()
    for (const key of this.#waiting) this.#mark(key)
  }

  /** Plans for everything before it returns, so that what follows from it has been noted by then. */
  markAll(): void {
    const early = this.#early
    this.#early = null
    this.#catchUp()
    if (early) this.accept(early)
    for (const key of this.#deps.store.all.keys()) this.#mark(key)
    this.#tick()
    this.discards.leftovers()
  }

  /** The lease of this node has changed its standing. */
  markExclusive(): void {
    for (const { key, assignment } of this.#deps.store.all.values()) {
      if (assignment.template.exclusive) this.#mark(key)
    }
    this.discards.leftovers()
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
    this.discards.stop()
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
    const dirty = new Set([...this.#dirty, ...this.#waiting])
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
          void this.discards.remove(action.containerId, action.reason, lineage.key)
          break
        case 'forget':
          this.#waiting.delete(lineage.key)
          store.forget(lineage)
          return false
        case 'prepare':
          void this.#preparer.prepare(lineage, action).then(() => this.discards.leftovers())
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
    const { store, watch, pulls, probes, drains, lease } = this.#deps
    const rival = rivalOf(lineage, store.all, () => watch.containers.all())
    if (rival === null) this.#waiting.delete(lineage.key)
    else this.#waiting.add(lineage.key)
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
      rival,
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

  #wake(key: string, delayMs: number | null): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
    if (delayMs === null) return
    this.#timers.set(
      key,
      this.#deps.clock.after(Math.ceil(delayMs), () => this.#mark(key)),
    )
  }
}
