import type { Policy } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Forwarding } from '../core/visible-names.ts'
import type { Bridge } from '../network/core/bridge.ts'
import type { Traffic, TrafficConsumer } from '../traffic/consumer.ts'
import type { NameBridge, NameDirectory, NameState } from './core/name-state.ts'
import type { NameServing, Served } from './name-serving.ts'

export interface NameServiceDeps {
  readonly logger: Logger
  readonly serving: NameServing
  readonly forwarding: Forwarding
  readonly resolvConf: string
  /** How connections to the addresses of services are passed on here. */
  readonly addresses: () => { readonly isServing: boolean; readonly withIpv6: boolean }
  /** `problem` is another one. */
  readonly onNews: () => void
}

const shownNetworks = 5

type PlacedBridge = Pick<Bridge, 'network' | 'environment' | 'zone' | 'gateways' | 'subnets'>

/** Sees to it that names can be looked up on each bridge, from the last good tables. */
export class NameService implements TrafficConsumer {
  readonly name = 'names'
  readonly #deps: NameServiceDeps
  readonly #bridges = new Map<string, NameBridge>()
  /** Bridges that are known to be there. */
  readonly #present = new Set<string>()
  /** By network, why names cannot be looked up there. */
  readonly #problems = new Map<string, string>()
  #listening: ReadonlySet<string> = new Set()
  #hasLeft = false
  #traffic: (Traffic & { readonly policy: Policy }) | null = null

  constructor(deps: NameServiceDeps) {
    this.#deps = deps
  }

  /** Bridges of an earlier process: names are served there before the engine has been asked. */
  restore(bridges: readonly PlacedBridge[]): void {
    for (const bridge of bridges) this.#keep(bridge)
  }

  /** The address to ask on the network; null when nobody answers there. */
  addressOn(network: string): string | null {
    const gateway = this.#bridges.get(network)?.gateway
    return gateway !== undefined && this.#listening.has(gateway) ? gateway : null
  }

  /** For people: where names cannot be looked up, and why; empty when they can. */
  get problem(): string {
    const networks = [...this.#problems.keys()]
    const [why] = this.#problems.values()
    if (why === undefined) return ''
    const rest = networks.length - shownNetworks
    const shown = networks.slice(0, shownNetworks).join(', ')
    const where = rest > 0 ? `${shown} and ${rest} more` : shown
    const noun = networks.length === 1 ? 'network' : 'networks'
    return `names cannot be looked up on ${noun} ${where}: ${why}`
  }

  /** Never rejects: containers run without it, too, and it is tried again. */
  async serveOn(bridge: PlacedBridge): Promise<void> {
    this.#keep(bridge)
    this.#present.add(bridge.network)
    try {
      await this.#push()
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const { gateway } = this.#bridges.get(bridge.network) ?? { gateway: '' }
      this.#take({ listening: [...this.#listening], problems: { [gateway]: why } })
    }
  }

  async stopOn(network: string): Promise<void> {
    this.#bridges.delete(network)
    this.#present.delete(network)
    if (this.#problems.delete(network)) this.#deps.onNews()
    await this.refresh()
  }

  /** Until nothing is known of rules and services, what was served before is. */
  async serve(traffic: Traffic): Promise<void> {
    const { policy, revision, tables } = traffic
    if (policy === null || (revision === 0 && tables.size === 0)) return
    this.#traffic = { policy, revision, tables }
    await this.#push()
  }

  /** Looks again at what depends on others. Never rejects. */
  async refresh(): Promise<void> {
    await this.#push().catch((error: unknown) => {
      this.#deps.logger.warn({ err: error }, 'names are not served as they should be')
    })
  }

  /** Until `signal` is aborted; names are served on after that. */
  run(signal: AbortSignal): Promise<void> {
    return this.#deps.serving.guard(signal, (served) => this.#take(served))
  }

  /** The node is no part of the cluster any more. */
  async leave(): Promise<void> {
    const { serving, logger } = this.#deps
    this.#hasLeft = true
    try {
      await serving.stop()
      logger.info('the node was removed: its name server has ended')
    } catch (error) {
      logger.error({ err: error }, 'the node was removed, but its name server could not be ended')
    }
  }

  #keep({ network, environment, zone, gateways, subnets }: PlacedBridge): void {
    const gateway = gateways.find((one) => one.includes('.'))
    if (gateway === undefined) return
    this.#bridges.set(network, { environment, zone, gateway, gateways, subnets })
  }

  async #push(): Promise<void> {
    if (this.#hasLeft) return
    this.#take(await this.#deps.serving.serve(this.#state()))
  }

  #state(): NameState {
    const { forwarding, resolvConf } = this.#deps
    const bridges = [...this.#bridges.values()]
    return { bridges, directory: this.#nextDirectory(), forwarding, resolvConf }
  }

  #nextDirectory(): NameDirectory | null {
    if (this.#traffic === null) return null
    const { policy, revision, tables } = this.#traffic
    const { isServing, withIpv6 } = this.#deps.addresses()
    const { services, services6 } = policy
    const reaches = Object.fromEntries(
      Object.entries(policy.zones).map(([zone, rules]) => [zone, rules.reaches]),
    )
    const addresses = isServing ? { services, services6: withIpv6 ? services6 : null } : null
    return { revision, tables, reaches, addresses }
  }

  #take({ listening, problems }: Served): void {
    this.#listening = new Set(listening)
    const before = this.problem
    for (const network of this.#present) {
      const gateway = this.#bridges.get(network)?.gateway ?? ''
      const why = problems[gateway]
      if (why !== undefined) this.#note(network, why)
      else if (this.#listening.has(gateway)) this.#note(network, '')
    }
    if (this.problem !== before) this.#deps.onNews()
  }

  #note(network: string, why: string): void {
    const { logger } = this.#deps
    if ((this.#problems.get(network) ?? '') === why) return
    if (why === '') {
      this.#problems.delete(network)
      logger.info({ network }, 'names can be looked up again')
    } else {
      this.#problems.set(network, why)
      logger.warn({ network, why }, 'names cannot be looked up')
    }
  }
}
