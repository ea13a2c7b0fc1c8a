import { type Clock, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { exponential } from '../core/backoff.ts'
import { countUnmanaged } from '../core/claims.ts'
import { type ContainerInfo, hasEnded, isAlive } from '../core/container.ts'
import { isOwn, type NodeIdentity, ownership, ownLabels } from '../core/ownership.ts'
import { ContainerCache } from './container-cache.ts'
import { type Engine, EngineError, type EngineEvent } from './engine.ts'
import { Limiter } from './limiter.ts'

export interface EngineWatchDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly engine: Engine
  readonly identity: NodeIdentity
  /** Null: everything may have changed. */
  readonly onChange: (instances: ReadonlySet<string> | null) => void
  /** The engine has stopped answering; or it answers again, and `onChange` was told what has come of it. */
  readonly onProblem: () => void
  readonly onNetworkRemoved: (network: string) => void
}

const resyncMs = 30_000
const pingMs = 3000
const reopenFirstMs = 100
const reopenMaxMs = 2000
const inspectsAtOnce = 4
const notListed = 'the engine has not told yet which containers there are'

/** Knows what containers there are, and whether what it knows can be trusted. */
export class EngineWatch {
  readonly containers = new ContainerCache(ownership.instance)
  readonly #deps: EngineWatchDeps
  readonly #inspections = new Limiter(inspectsAtOnce)
  /** Streams of events that have broken; what was asked for before that is no complete answer any more. */
  #breaks = 0
  #connected = false
  #complete = false
  #problem = ''
  #unmanaged = 0
  readonly #listed = Promise.withResolvers<void>()
  #hasListed = false
  #listing: Promise<void> | null = null
  #listAgain = false

  constructor(deps: EngineWatchDeps) {
    this.#deps = deps
  }

  /** The engine answers, and the containers are all known. */
  get isReady(): boolean {
    return this.#problem === '' && this.#complete
  }

  /** The containers have been known at least once. */
  get hasListed(): boolean {
    return this.#hasListed
  }

  /** Resolves when the containers are known for the first time. */
  get listed(): Promise<void> {
    return this.#listed.promise
  }

  /** Why nothing is known of the engine; empty when it answers. */
  get problem(): string {
    return this.#problem === '' && !this.#hasListed ? notListed : this.#problem
  }

  get unmanaged(): number {
    return this.#unmanaged
  }

  /** Follows the engine until `signal` is aborted; does not reject. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    const pinging = this.#ping(signal)
    const resyncing = this.#resync(signal)
    for (let failures = 0; !signal.aborted; failures++) {
      await this.#follow(signal, () => (failures = 0))
      if (signal.aborted) break
      await sleep(clock, exponential(failures + 1, reopenFirstMs, reopenMaxMs), signal).catch(
        () => {},
      )
    }
    await Promise.all([pinging, resyncing])
  }

  /** A call has failed without an answer: nothing is taken for granted until a new list has come. */
  doubt(): void {
    this.#complete = false
    void this.refresh()
  }

  /** Lists; a call while a list is on its way leads to one more. Does not reject. */
  refresh(): Promise<void> {
    if (this.#listing) {
      this.#listAgain = true
      return this.#listing
    }
    this.#listing = this.#listUntilCurrent().finally(() => {
      this.#listing = null
    })
    return this.#listing
  }

  /** Learns what lists and events do not tell of one container. Does not reject. */
  async inspect(containerId: string): Promise<void> {
    const version = this.containers.version
    try {
      const info = await this.#inspections.run(() => this.#deps.engine.inspect(containerId))
      const known = this.containers.get(containerId)
      // An event may have overtaken the answer.
      if (known && known.state !== info.state && this.containers.version > version) return
      this.containers.put(info)
      this.#tell(new Set([info.labels[ownership.instance] ?? '']))
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      if (error.kind === 'no-such-container') this.#forget(containerId)
    }
  }

  #forget(containerId: string): void {
    const known = this.containers.get(containerId)
    this.containers.remove(containerId)
    if (known) this.#tell(new Set([known.labels[ownership.instance] ?? '']))
  }

  async #follow(signal: AbortSignal, onConnected: () => void): Promise<void> {
    const { engine, identity, logger } = this.#deps
    try {
      for await (const event of engine.events(ownLabels(identity), signal)) {
        if (event.kind === 'connected') onConnected()
        this.#take(event)
      }
    } catch (error) {
      if (signal.aborted) return
      this.#connected = false
      this.#breaks += 1
      this.#fail(error instanceof Error ? error.message : String(error))
      if (!(error instanceof EngineError))
        logger.error({ err: error }, 'following the engine failed')
    }
  }

  #take(event: EngineEvent): void {
    switch (event.kind) {
      case 'connected':
        this.#connected = true
        void this.refresh()
        return
      case 'network-removed':
        this.#deps.onNetworkRemoved(event.network)
        return
      case 'disconnected': {
        const known = this.containers.get(event.containerId)
        // Whether it was by its own end or by somebody's hand, the engine knows.
        if (known && isAlive(known)) void this.inspect(event.containerId)
        return
      }
      case 'started':
      case 'paused':
      case 'unpaused':
      case 'died':
      case 'oom':
      case 'removed':
        this.#tell(new Set([this.containers.apply(event)]))
    }
  }

  async #ping(signal: AbortSignal): Promise<void> {
    const { clock, engine } = this.#deps
    while (!signal.aborted) {
      await sleep(clock, pingMs, signal).catch(() => {})
      if (signal.aborted) return
      try {
        await engine.ping()
        if (this.#problem !== '' && this.#connected) void this.refresh()
      } catch (error) {
        this.#fail(error instanceof Error ? error.message : String(error))
      }
    }
  }

  async #resync(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#deps.clock, resyncMs, signal).catch(() => {})
      if (!signal.aborted && this.#connected) await this.refresh()
    }
  }

  #fail(message: string): void {
    const isNews = this.#problem === ''
    this.#problem = message
    this.#complete = false
    if (!isNews) return
    this.#deps.logger.warn({ problem: message }, 'the engine does not answer')
    this.#deps.onProblem()
  }

  async #listUntilCurrent(): Promise<void> {
    do {
      this.#listAgain = false
      try {
        await this.#list()
      } catch (error) {
        this.#fail(error instanceof Error ? error.message : String(error))
        return
      }
    } while (this.#listAgain)
  }

  async #list(): Promise<void> {
    const { engine, identity, logger } = this.#deps
    const { version } = this.containers
    const breaks = this.#breaks
    const all = await engine.list({})
    const own = all.filter((container) => isOwn(container.labels, identity))
    const detailed = await Promise.all(own.map((container) => this.#detail(container)))
    this.#unmanaged = countUnmanaged(all, identity)
    const wasReady = this.isReady
    const changed = this.containers.replace(detailed.flat(), version)
    if (!this.#connected || breaks !== this.#breaks) return
    const wasAway = this.problem !== ''
    this.#problem = ''
    this.#complete = true
    this.#hasListed = true
    this.#listed.resolve()
    this.#tell(wasReady ? changed : null)
    if (!wasAway) return
    logger.info('the engine answers')
    this.#deps.onProblem()
  }

  /** The times and exit codes of what was not watched while it happened; empty when it has gone meanwhile. */
  async #detail(listed: ContainerInfo): Promise<readonly ContainerInfo[]> {
    const known = this.containers.get(listed.id)
    const isKnown = known?.state === listed.state
    if (isAlive(listed) && isKnown && known.startedAtMs !== null) return [listed]
    if (hasEnded(listed) && isKnown && known.finishedAtMs !== null) return [listed]
    if (listed.state === 'created') return [listed]
    try {
      return [await this.#inspections.run(() => this.#deps.engine.inspect(listed.id))]
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'no-such-container') return []
      throw error
    }
  }

  #tell(instances: ReadonlySet<string> | null): void {
    if (instances === null || instances.size > 0) this.#deps.onChange(instances)
  }
}
