import { type Assignment, type Clock, splitServiceKey } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Action } from './core/action.ts'
import { newContainer } from './core/container.ts'
import type { Lineage } from './core/lineage.ts'
import { type ContainerLink, makeSpec, unsupported } from './core/make-spec.ts'
import { isOwn, type NodeIdentity, ownership } from './core/ownership.ts'
import type { Outcome } from './core/settle.ts'
import type { Network, Networks } from './discovery/networks.ts'
import type { EngineWatch } from './engine/engine-watch.ts'
import { type Engine, EngineError } from './engine/engine.ts'
import { Limiter } from './engine/limiter.ts'
import type { Pulls } from './engine/pulls.ts'
import { type FencedAddresses, fencedAddresses } from './network/core/fenced-address.ts'

/** What the engine is asked to do; the rest of the actions is bookkeeping. */
export type EngineAction = Exclude<Action, { kind: 'observe' | 'succeed' | 'forget' | 'discard' }>

export interface ExecutorDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly engine: Engine
  readonly watch: EngineWatch
  readonly networks: Networks
  readonly pulls: Pulls
  readonly identity: NodeIdentity
  readonly address: string
  readonly startsAtOnce: number
  /** Resolves when the kernel guards everything that is known by now; rejects with an EngineError. */
  readonly protect: (isExclusive: boolean) => Promise<void>
}

type Handlers = {
  readonly [K in EngineAction['kind']]: (
    action: Extract<EngineAction, { kind: K }>,
    lineage: Lineage,
    signal: AbortSignal,
  ) => Promise<void>
}

/** Removals run beside starts without holding them up. */
const removalsAtOnce = 4

/** Enough for what was killed to end at once. */
const quickEndMillis = 1000

/** Far more than are made at once. */
const givenLimit = 256

const done: Outcome = { ok: true }

/** Carries out what was planned, a bounded number of things at once, and notes what it learns by doing so. */
export class Executor {
  readonly #deps: ExecutorDeps
  readonly #starts: Limiter
  /** Addresses of exclusive instances whose containers may not be there yet. */
  readonly #given = new Map<string, FencedAddresses>()
  readonly #removals = new Limiter(removalsAtOnce)
  readonly #handlers: Handlers = {
    pull: (_, lineage, signal) => this.#deps.pulls.pull(lineage.assignment.template.image, signal),
    create: (_, lineage) => this.#starts.run(() => this.#create(lineage, lineage.current)),
    start: (action, lineage) =>
      this.#starts.run(() => this.#start(action.containerId, lineage.assignment)),
    signal: (action) => this.#deps.engine.signal(action.containerId, action.signal),
    kill: (action, lineage) => this.#kill(action.containerId, lineage.assignment),
    remove: (action) => this.#remove(action.containerId),
    prepare: (action, lineage) =>
      this.#create(lineage, {
        id: action.successor,
        predecessor: lineage.current.id,
        attempt: lineage.current.attempt + 1,
        startAtMs: 0,
        isPrepared: true,
      }),
  }

  constructor(deps: ExecutorDeps) {
    this.#deps = deps
    this.#starts = new Limiter(deps.startsAtOnce)
  }

  /** No container is being created, started or removed. */
  get isIdle(): boolean {
    return this.#starts.isIdle && this.#removals.isIdle
  }

  /** Does not reject: what goes wrong is the outcome. */
  perform(action: EngineAction, lineage: Lineage, signal: AbortSignal): Promise<Outcome> {
    // The handler of a kind takes the actions of that kind, which the compiler cannot see.
    const handler = this.#handlers[action.kind] as (
      action: EngineAction,
      lineage: Lineage,
      signal: AbortSignal,
    ) => Promise<void>
    const containerId = 'containerId' in action ? action.containerId : null
    return this.#outcomeOf(containerId, () => handler(action, lineage, signal))
  }

  /** Removes a container that serves nothing; does not reject. */
  discard(containerId: string): Promise<Outcome> {
    return this.#outcomeOf(containerId, () => this.#remove(containerId))
  }

  async #outcomeOf(containerId: string | null, run: () => Promise<void>): Promise<Outcome> {
    const { logger, watch, networks } = this.#deps
    try {
      await run()
      return done
    } catch (error) {
      if (!(error instanceof EngineError)) {
        logger.error({ err: error, containerId }, 'a fault of the agent itself')
        return { ok: false, kind: 'refused', message: String(error) }
      }
      if (error.kind === 'unreachable') watch.doubt()
      // What is missing may be the network.
      if (error.kind === 'conflict') networks.forget()
      if (containerId !== null) await watch.inspect(containerId)
      return { ok: false, kind: error.kind, message: error.message }
    }
  }

  async #create(lineage: Lineage, link: ContainerLink): Promise<void> {
    const { engine, identity, address, watch, pulls } = this.#deps
    const problem = unsupported(lineage)
    if (problem !== '') throw new EngineError('refused', problem)
    const { template } = lineage.assignment
    const { name: network, discovery, fenced } = await this.#network(lineage.assignment)
    const addresses = this.#addressesFor(link.id, template.exclusive ? fenced : [])
    const nameServer = this.#deps.networks.nameServerOn(network)
    const around = { identity, address, network, discovery, nameServer, addresses }
    const spec = makeSpec(lineage, link, around)
    try {
      const id = await engine.create(spec)
      pulls.noteImage(template.image.reference, true)
      watch.containers.put(newContainer({ id, name: spec.name, labels: spec.labels }))
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      if (error.kind === 'no-such-image') pulls.noteImage(template.image.reference, false)
      if (error.kind !== 'conflict') throw error
      await this.#takeByName(spec.name, link.id, error)
    }
  }

  /** The name is taken: by an earlier try of ours whose answer was lost, or by somebody else. */
  async #takeByName(name: string, instance: string, error: EngineError): Promise<void> {
    const { engine, identity, watch } = this.#deps
    const found = await engine.inspect(name)
    const isOurs = isOwn(found.labels, identity) && found.labels[ownership.instance] === instance
    if (!isOurs) throw new EngineError('refused', error.message)
    watch.containers.put(found)
  }

  /** Two that are made at the same time do not know of each other's container, but of this. */
  #addressesFor(instance: string, parts: readonly string[]): FencedAddresses {
    if (parts.length === 0) return { ipv4: null, ipv6: null }
    const alive = new Map<string, FencedAddresses>()
    const { containers } = this.#deps.watch
    const known = containers.all().flatMap((one) => one.labels[ownership.addresses]?.split(',') ?? [])
    for (const [owner, given] of this.#given) {
      if (owner !== instance && containers.ofInstance(owner).length === 0) alive.set(owner, given)
    }
    const reserved = [...alive.values()].flatMap(({ ipv4, ipv6 }) => [ipv4 ?? '', ipv6 ?? ''])
    const given = fencedAddresses(parts, instance, new Set([...known, ...reserved]))
    this.#given.set(instance, given)
    if (this.#given.size > givenLimit) this.#given.delete(this.#given.keys().next().value ?? '')
    return given
  }

  #network({ service, template }: Assignment): Promise<Network> {
    const { environment } = splitServiceKey(service)
    return this.#deps.networks.ensure(environment, template.zone)
  }

  async #start(containerId: string, assignment: Assignment): Promise<void> {
    const { clock, engine, watch, protect } = this.#deps
    // It may be gone since the container was made.
    await this.#network(assignment)
    await protect(assignment.template.exclusive)
    await engine.start(containerId)
    const known = watch.containers.get(containerId)
    // The event is usually faster, and may already tell of its end.
    if (known?.state !== 'created') return
    watch.containers.put({ ...known, state: 'running', startedAtMs: clock.nowMs() })
  }

  /**
   * To die takes processor time, too: many processes under a small limit would need minutes for it, longer than a lease
   * lasts. The engine answers a kill only once its container has ended, so that the room is made meanwhile.
   */
  async #kill(containerId: string, { template }: Assignment): Promise<void> {
    const { engine } = this.#deps
    const killed = engine.signal(containerId, 'SIGKILL')
    if (template.resources.cpuMillis < quickEndMillis) {
      // Without it the end only takes longer.
      void engine.limitCpu(containerId, quickEndMillis).catch(() => {})
    }
    await killed
  }

  async #remove(containerId: string): Promise<void> {
    const { engine, watch } = this.#deps
    await this.#removals.run(() => engine.remove(containerId))
    watch.containers.remove(containerId)
  }
}
