import { type Clock, type InstanceReport, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { dueLeftovers, leftoversOf, reportOfVanished, reportsOfRemoved } from './core/claims.ts'
import { type ContainerInfo, isAlive } from './core/container.ts'
import { ownership } from './core/ownership.ts'
import type { EngineWatch } from './engine/engine-watch.ts'
import type { Executor } from './execute.ts'
import type { LineageStore } from './lineage-store.ts'
import type { LeaseKeeper } from './session/lease-keeper.ts'

export interface DiscardsDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly executor: Pick<Executor, 'discard'>
  readonly store: LineageStore
  readonly watch: EngineWatch
  readonly lease: Pick<LeaseKeeper, 'standing'>
  /** A container without a record has been removed: the last there is to say of it. */
  readonly onRemoved: (report: InstanceReport) => void
  /** Plans for the lineage, of which a container is gone. */
  readonly mark: (key: string) => void
}

const retryMs = 5000

/** Removes containers that are not, or no longer, wanted, each once at a time and until the engine has done it. */
export class Discards {
  readonly #deps: DiscardsDeps
  readonly #removing = new Set<string>()
  /** What the last inventory has told without a record, by instance: its end has to be told, too. */
  #told: ReadonlyMap<string, InstanceReport> = new Map()
  #sawFullSet = false
  #stopped = false

  constructor(deps: DiscardsDeps) {
    this.#deps = deps
  }

  stop(): void {
    this.#stopped = true
  }

  /** The control plane has said all that is to be here: whatever else there is goes. */
  sawFullSet(): void {
    this.#sawFullSet = true
  }

  /** These were told to run, by their labels alone. */
  toldOf(reports: readonly InstanceReport[]): void {
    this.#told = new Map(reports.map((report) => [report.instance, report]))
  }

  /** Containers that no record accounts for, as far as they may go by now. */
  leftovers(): void {
    const { store, watch, lease } = this.#deps
    if (!watch.isReady || this.#stopped) return
    const leftovers = leftoversOf(watch.containers.all(), store.all)
    const due = dueLeftovers(leftovers, this.#sawFullSet, lease.standing)
    for (const { container, reason } of due) void this.#leftover(container, reason)
    if (this.#sawFullSet) this.#tellVanished()
  }

  #tellVanished(): void {
    const { store, watch, clock, onRemoved } = this.#deps
    const there = new Map<string, InstanceReport>()
    for (const [instance, report] of this.#told) {
      if (store.find(instance)) continue
      if (watch.containers.ofInstance(instance).length > 0) there.set(instance, report)
      else onRemoved(reportOfVanished(report, clock.nowMs()))
    }
    this.#told = there
  }

  /** Containers that wait to be started and that `isStale` says would not do any more; they are made anew. */
  waiting(isStale: (container: ContainerInfo) => boolean, reason: string): void {
    const { watch, store } = this.#deps
    for (const container of watch.containers.all()) {
      if (container.state !== 'created' || !isStale(container)) continue
      const instance = container.labels[ownership.instance] ?? ''
      const lineage = store.find(instance)
      const current = lineage?.current
      const isBeingStarted = current?.id === instance && current.observed.state === 'starting'
      if (lineage && !isBeingStarted) void this.remove(container.id, reason, lineage.key)
    }
  }

  /** One container; `key` is of the lineage that waits for it to be gone. */
  async remove(containerId: string, reason: string, key?: string): Promise<void> {
    if (this.#removing.has(containerId)) return
    this.#removing.add(containerId)
    const { executor, logger, clock, mark } = this.#deps
    logger.info({ containerId, reason }, 'removing a container')
    const outcome = await executor.discard(containerId)
    if (!outcome.ok) {
      logger.warn({ containerId, outcome }, 'a container could not be removed; trying again')
      await sleep(clock, retryMs)
    }
    this.#removing.delete(containerId)
    if (key !== undefined) mark(key)
    // The lineage that it belonged to may have been forgotten meanwhile.
    if (!outcome.ok) this.leftovers()
  }

  /** Nobody else would ever tell that it is gone: there is no record of it here, unless one has come meanwhile. */
  async #leftover(container: ContainerInfo, reason: string): Promise<void> {
    if (this.#removing.has(container.id)) return
    await this.remove(container.id, reason)
    const { store, watch, clock, onRemoved } = this.#deps
    const instance = container.labels[ownership.instance] ?? ''
    if (store.find(instance) || watch.containers.get(container.id)) return
    // While another container of the instance runs, it is not gone.
    if (watch.containers.ofInstance(instance).some(isAlive)) return
    for (const report of reportsOfRemoved(container, clock.nowMs())) onRemoved(report)
  }
}
