import { canonicalJson, type Clock } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { networkName } from '../core/network-name.ts'
import { type NodeIdentity, ownership, ownLabels } from '../core/ownership.ts'
import type { NameService } from '../dns/name-service.ts'
import type { Engine } from '../engine/engine.ts'
import type { Journal } from '../journal/journal.ts'
import type { Bridge } from '../network/core/bridge.ts'
import type { DiscoveryHandler, Listen, Listening } from './listener.ts'

export interface Network {
  readonly name: string
  readonly gateway: string
  /** Parts of its subnets in which only exclusive instances have their addresses. */
  readonly fenced: readonly string[]
  /** URL of discovery on this network. */
  readonly discovery: string
}

export interface NetworksDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly engine: Engine
  readonly journal: Journal
  readonly listen: Listen
  readonly handler: DiscoveryHandler
  readonly names: Pick<NameService, 'addressOn' | 'serveOn' | 'stopOn'>
  readonly identity: NodeIdentity
  readonly discoveryPort: number
  /** Resolves when the kernel holds the zones on all bridges that are known by now. */
  readonly protect: () => Promise<void>
  /** A network was made, or is not as it was. */
  readonly onBridge: (bridge: Bridge) => void
}

/** While discovery cannot be bound, it is tried again this often. */
const bindRetryMs = 2000
/** A network that no instance is on is kept for the next one for this long. */
const keepUnusedMs = 10 * 60 * 1000

/**
 * The bridge of each environment and zone, made once, with discovery on its gateway. The port is kept for good,
 * because containers have it in their environment.
 */
export class Networks {
  readonly #deps: NetworksDeps
  readonly #made = new Map<string, Promise<Network>>()
  readonly #ports = new Map<string, number>()
  readonly #servers = new Map<string, Listening & { readonly gateway: string }>()
  readonly #unusedSince = new Map<string, number>()
  readonly #bridges = new Map<string, Bridge>()
  readonly #making = new Set<string>()
  /** Removed here; the engine has yet to tell of it. */
  readonly #removed = new Set<string>()
  #closed = false

  constructor(deps: NetworksDeps) {
    this.#deps = deps
  }

  restorePort(name: string, port: number): void {
    this.#ports.set(name, port)
  }

  /** All that are known, of earlier processes too: what is on them is protected before anything has been asked. */
  get bridges(): readonly Bridge[] {
    return [...this.#bridges.values()]
  }

  restoreBridge(bridge: Bridge): void {
    this.#bridges.set(bridge.network, bridge)
  }

  /** Rejects with an EngineError when the engine cannot make it. */
  ensure(environment: string, zone: string): Promise<Network> {
    const name = networkName(environment, zone)
    const known = this.#made.get(name)
    if (known) return known
    this.#making.add(name)
    const made = this.#make(name, environment, zone).finally(() => this.#making.delete(name))
    this.#made.set(name, made)
    made.catch(() => this.#made.delete(name))
    return made
  }

  /** Whether the engine is being asked for it. */
  isMaking(name: string): boolean {
    return this.#making.has(name)
  }

  /** Whether the removal that the engine tells of was done here. */
  wasRemovedHere(name: string): boolean {
    return this.#removed.delete(name)
  }

  /**
   * Makes a network anew whose bridge has gone from under it, or forgets it when nothing is on it; true when it was
   * made. What was on it is on no network then. Rejects with an EngineError when the engine cannot.
   */
  async mend({ network, environment, zone }: Bridge, isUsed: boolean): Promise<boolean> {
    const { engine } = this.#deps
    this.#making.add(network)
    try {
      await engine.disconnectAll(network)
      if (!isUsed) return await this.#remove(network).then(() => false)
      this.#removed.add(network)
      await engine.removeNetwork(network)
    } finally {
      this.#making.delete(network)
    }
    this.#made.delete(network)
    await this.ensure(environment, zone)
    return true
  }

  /** The address of DNS on a network; null when it is not served there. */
  nameServerOn(network: string): string | null {
    return this.#deps.names.addressOn(network)
  }

  /** Looks again at what is there: somebody may have removed it, or the engine may have been started anew. */
  forget(): void {
    this.#made.clear()
  }

  /** Looks again at one. */
  forgetOne(name: string): void {
    this.#made.delete(name)
  }

  /** Removes networks that no instance has been on for a while; `used` are the names of those in use. */
  async sweep(used: ReadonlySet<string>): Promise<void> {
    const { clock, logger } = this.#deps
    const nowMs = clock.monotonicMs()
    for (const name of this.#ports.keys()) {
      if (used.has(name)) this.#unusedSince.delete(name)
      else if (!this.#unusedSince.has(name)) this.#unusedSince.set(name, nowMs)
    }
    for (const [name, sinceMs] of this.#unusedSince) {
      if (nowMs < sinceMs + keepUnusedMs) continue
      try {
        await this.#remove(name)
      } catch (error) {
        logger.info({ err: error, network: name }, 'a network is left')
        this.#unusedSince.set(name, nowMs)
      }
    }
  }

  async #remove(name: string): Promise<void> {
    const { engine, journal, logger } = this.#deps
    this.#made.delete(name)
    this.#removed.add(name)
    await engine.removeNetwork(name)
    await Promise.all([this.#servers.get(name)?.close(), this.#deps.names.stopOn(name)])
    this.#servers.delete(name)
    this.#ports.delete(name)
    this.#unusedSince.delete(name)
    this.#bridges.delete(name)
    journal.delete(`port/${name}`)
    journal.delete(`bridge/${name}`)
    logger.info({ network: name }, 'removed a network that nobody uses')
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#servers.values()].map((server) => server.close()))
    this.#servers.clear()
  }

  async #make(name: string, environment: string, zone: string): Promise<Network> {
    const { engine, identity } = this.#deps
    const labels = {
      ...ownLabels(identity),
      [ownership.environment]: environment,
      [ownership.zone]: zone,
    }
    const info = await engine.ensureNetwork(name, labels)
    const { gateway, gateways, device, subnets, reserved: fenced } = info
    const bridge = { network: name, environment, zone, device, gateways, subnets, fenced }
    const [discoveryPort] = await Promise.all([
      this.#serve(name, gateway),
      this.#deps.names.serveOn(bridge),
    ])
    this.#note({ ...bridge, discoveryPort })
    await this.#deps.protect()
    return { name, gateway, fenced, discovery: `http://${gateway}:${discoveryPort}` }
  }

  #note(bridge: Bridge): void {
    const { network } = bridge
    if (canonicalJson(this.#bridges.get(network) ?? null) === canonicalJson(bridge)) return
    this.#bridges.set(network, bridge)
    this.#deps.journal.put(`bridge/${network}`, bridge)
    this.#deps.onBridge(bridge)
  }

  /** Never rejects: containers run without discovery, too, and it is tried again. */
  async #serve(name: string, gateway: string): Promise<number> {
    const { journal, logger, discoveryPort } = this.#deps
    const running = this.#servers.get(name)
    if (running?.gateway === gateway) return running.port
    await running?.close()
    const wanted = this.#ports.get(name) ?? discoveryPort
    try {
      const server = await this.#bind(gateway, wanted)
      this.#servers.set(name, { ...server, gateway })
      this.#ports.set(name, server.port)
      journal.put(`port/${name}`, server.port)
      logger.info({ network: name, address: gateway, port: server.port }, 'discovery is served')
      if (this.#closed) await server.close()
      return server.port
    } catch (error) {
      logger.warn({ err: error, network: name, address: gateway }, 'discovery cannot be served')
      this.#retry(name, gateway)
      return wanted
    }
  }

  async #bind(gateway: string, wanted: number): Promise<Listening> {
    const { listen, handler } = this.#deps
    try {
      return await listen(gateway, wanted, handler)
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken) throw error
      return listen(gateway, 0, handler)
    }
  }

  #retry(name: string, gateway: string): void {
    this.#deps.clock.after(bindRetryMs, () => {
      if (!this.#closed) void this.#serve(name, gateway)
    })
  }
}
