import {
  type Clock,
  type FromAgentMessage,
  type Policy,
  serviceAddress6,
  sleep,
  unusedIndexes,
  type ToAgentMessage,
} from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Traffic, TrafficConsumer } from '../traffic/consumer.ts'
import type { CertificateFiles, SecretValues } from './certificates.ts'
import { makeConfig, type ProxyNode } from './core/make-config.ts'
import { reportSince, type Told } from './core/report.ts'
import type { Proxy } from './proxy.ts'

export interface ProxyServiceDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly proxy: Proxy
  /** Makes a whole network local to the machine, so that the proxy can listen at its addresses. */
  readonly makeLocal: (network: string) => Promise<void>
  /** Takes that back. */
  readonly unmakeLocal: () => Promise<void>
  /** Gives the machine an address of IPv6 to connect from; `byName`: only programs that ask for it do. */
  readonly own: (address: string, byName: boolean) => Promise<void>
  readonly send: (message: FromAgentMessage) => void
  readonly node: () => ProxyNode
  readonly certificates: CertificateFiles
  /** It goes by something else than before. */
  readonly onServed: () => void
}

type SecretValue = Extract<ToAgentMessage, { kind: 'secrets' }>['secrets'][number]

type Networks = Pick<Policy, 'services' | 'services6'>

const reportMs = 3000
/** What is left out because somebody else is in its place, or could not be kept, is tried again after this time. */
const retryMs = 5000
/** Somebody may have taken a network away. */
const routeMs = 60_000
const maxReason = 4096
/** A problem that is over sooner is nobody's business. */
const lastsMs = 2000

/** Networks that have been made local; `services6` is null where there is no IPv6, for the reason in `problem`. */
interface Local {
  readonly wanted: string
  readonly networks: Networks
  readonly problem: string | null
  readonly sinceMs: number
}

/** The node-local proxy as a consumer of endpoint tables, and what it says to the control plane. */
export class ProxyService implements TrafficConsumer {
  readonly name = 'proxy'
  readonly #deps: ProxyServiceDeps
  #told: Told = new Map()
  /** Each is known by what it was noted as, so that one that comes again is another. */
  #problems: ReadonlyMap<string, symbol> = new Map()
  #local: Local | null = null
  #last: Traffic | null = null
  #retrying = false
  #loading: Promise<void> | null = null
  #setting: Promise<void> = Promise.resolve()
  #isSetting = false
  #needed: SecretValues = new Map()

  constructor(deps: ProxyServiceDeps) {
    this.#deps = deps
  }

  async serve(traffic: Traffic): Promise<void> {
    const { policy } = traffic
    // Without rules nothing is known of the network of services: what runs is left as it is.
    if (policy === null) return
    this.#last = traffic
    const { networks, problem } = await this.#ensureLocal(policy)
    const { node, certificates } = this.#deps
    this.#loading ??= certificates.load()
    await this.#loading
    // Those that have come are about to be there; many new ones are not waited for.
    if (this.#isSetting) await Promise.race([this.#setting, sleep(this.#deps.clock, lastsMs)])
    const { config, problems } = makeConfig(
      traffic,
      { ...policy, ...networks },
      node(),
      certificates.known,
    )
    const { leftOut } = await this.#deps.proxy.apply(config)
    this.#tell([...(problem === null ? [] : [problem]), ...problems, ...leftOut])
    if (leftOut.length > 0) this.#retry()
    this.#deps.onServed()
  }

  /** Whether services are offered at their addresses of IPv6, too; false as long as it is not known. */
  get withIpv6(): boolean {
    return this.#local !== null && this.#local.networks.services6 !== null
  }

  /**
   * The secrets that the node needs, in place of those before; `onSet`: their files are there. When the disk has no
   * room for them, they are kept as soon as it has.
   */
  setSecrets(secrets: readonly SecretValue[], onSet: () => void): Promise<void> {
    const values = new Map(secrets.map(({ key, value }) => [key, Buffer.from(value, 'base64')]))
    this.#needed = values
    return this.#keep(values, onSet)
  }

  #keep(values: SecretValues, onSet: () => void): Promise<void> {
    const before = this.#setting
    this.#setting = this.#keepAfter(before, values, onSet)
    return this.#setting
  }

  async #keepAfter(before: Promise<void>, values: SecretValues, onSet: () => void): Promise<void> {
    await before
    if (values !== this.#needed) return
    this.#isSetting = true
    const isSet = await this.#set(values)
    this.#isSetting = false
    if (isSet) onSet()
    else this.#deps.clock.after(retryMs, () => void this.#keep(values, onSet))
  }

  async #set(values: SecretValues): Promise<boolean> {
    try {
      await this.#loading
      await this.#deps.certificates.set(values)
      this.#loading = Promise.resolve()
      return true
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'secrets cannot be kept; trying again')
      return false
    }
  }

  /** The node is no part of the cluster any more: nothing of the proxy stays. */
  async leave(): Promise<void> {
    const { proxy, unmakeLocal, logger } = this.#deps
    this.#last = null
    this.#local = null
    try {
      await proxy.stop()
      await unmakeLocal()
      logger.info('the node was removed: its proxy has ended')
    } catch (error) {
      logger.error({ err: error }, 'the node was removed, but its proxy could not be ended')
    }
  }

  /** Until `signal` is aborted; the proxy runs on then. */
  async run(signal: AbortSignal): Promise<void> {
    const guarding = this.#deps.proxy.guard(signal)
    while (!signal.aborted) {
      await sleep(this.#deps.clock, reportMs, signal).catch(() => {})
      if (!signal.aborted) await this.#report()
    }
    await guarding
  }

  /** A node without IPv6 goes without it; without IPv4 nothing can be offered. */
  async #ensureLocal({ services, services6 }: Networks): Promise<Local> {
    const { clock, makeLocal } = this.#deps
    const wanted = `${services} ${services6}`
    const nowMs = clock.monotonicMs()
    if (this.#local?.wanted === wanted && nowMs < this.#local.sinceMs + routeMs) return this.#local
    await makeLocal(services)
    const problem = await this.#whyNot6({ services, services6 })
    const networks = { services, services6: problem === null ? services6 : null }
    this.#local = { wanted, networks, problem, sinceMs: nowMs }
    return this.#local
  }

  async #whyNot6(networks: Networks): Promise<string | null> {
    try {
      await this.#makeLocal6(networks)
      return null
    } catch (error) {
      const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      return `services are not offered by IPv6 here: ${why}`
    }
  }

  async #makeLocal6({ services, services6 }: Networks): Promise<void> {
    if (services6 === null) return
    const { makeLocal, own } = this.#deps
    await makeLocal(services6)
    // Programs of this machine must not be taken for the proxy itself.
    await own(serviceAddress6(services6, services, unusedIndexes.first), false)
    await own(serviceAddress6(services6, services, unusedIndexes.last), true)
  }

  /** Each problem becomes an event once, when it has lasted: what is missing may be on its way. */
  #tell(problems: readonly string[]): void {
    const before = this.#problems
    this.#problems = new Map(
      problems.map((problem) => [problem, before.get(problem) ?? Symbol(problem)]),
    )
    for (const [problem, noted] of this.#problems) {
      if (before.has(problem)) continue
      this.#deps.clock.after(lastsMs, () => {
        if (this.#problems.get(problem) === noted) this.#notice(problem)
      })
    }
  }

  #notice(problem: string): void {
    const { logger, send } = this.#deps
    logger.warn({ problem }, 'the proxy does not offer everything')
    send({ kind: 'notice', action: 'not-offered', reason: problem.slice(0, maxReason) })
  }

  #retry(): void {
    if (this.#retrying) return
    this.#retrying = true
    this.#deps.clock.after(retryMs, () => {
      this.#retrying = false
      if (this.#last === null) return
      this.serve(this.#last).catch((error: unknown) => {
        this.#deps.logger.warn({ err: error }, 'what the proxy had left out cannot be offered yet')
      })
    })
  }

  async #report(): Promise<void> {
    try {
      const { instances, told } = reportSince(this.#told, await this.#deps.proxy.stats())
      this.#told = told
      if (instances.length > 0) this.#deps.send({ kind: 'traffic', instances: [...instances] })
    } catch (error) {
      this.#deps.logger.debug({ err: error }, 'the proxy does not tell what it has done')
    }
  }
}
