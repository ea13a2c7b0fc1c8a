import { type Clock, type FromAgentMessage, type Policy, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Traffic, TrafficConsumer } from '../traffic/consumer.ts'
import { makeConfig, type ProxyNode } from './core/make-config.ts'
import { reportSince, type Told } from './core/report.ts'
import type { Proxy } from './proxy.ts'

export interface ProxyServiceDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly proxy: Proxy
  /** Makes a whole network local to the machine, so that the proxy can listen at its addresses. */
  readonly makeLocal: (network: string) => Promise<void>
  readonly send: (message: FromAgentMessage) => void
  readonly node: () => ProxyNode
}

const reportMs = 3000
/** What is left out because somebody else is in its place is tried again after this time. */
const retryMs = 5000
/** Somebody may have taken a network away. */
const routeMs = 60_000
const maxReason = 4096

/** Networks that have been made local; `services6` is null where there is no IPv6, for the reason in `problem`. */
interface Local {
  readonly networks: string
  readonly services6: string | null
  readonly problem: string | null
  readonly sinceMs: number
}

/** The node-local proxy as a consumer of endpoint tables, and what it says to the control plane. */
export class ProxyService implements TrafficConsumer {
  readonly name = 'proxy'
  readonly #deps: ProxyServiceDeps
  #told: Told = new Map()
  #problems: ReadonlySet<string> = new Set()
  #local: Local | null = null
  #last: Traffic | null = null
  #retrying = false

  constructor(deps: ProxyServiceDeps) {
    this.#deps = deps
  }

  async serve(traffic: Traffic): Promise<void> {
    const { policy } = traffic
    // Without rules nothing is known of the network of services: what runs is left as it is.
    if (policy === null) return
    this.#last = traffic
    await this.#ensureLocal(policy)
    const { services6, problem } = this.#local ?? { services6: null, problem: null }
    const offered = { ...policy, services6 }
    const { config, problems } = makeConfig(traffic, offered, this.#deps.node(), new Map())
    const { leftOut } = await this.#deps.proxy.apply(config)
    this.#tell([...(problem === null ? [] : [problem]), ...problems, ...leftOut])
    if (leftOut.length > 0) this.#retry()
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
  async #ensureLocal({ services, services6 }: Policy): Promise<void> {
    const { clock, makeLocal } = this.#deps
    const networks = `${services} ${services6 ?? ''}`
    const nowMs = clock.monotonicMs()
    if (this.#local?.networks === networks && nowMs < this.#local.sinceMs + routeMs) return
    await makeLocal(services)
    const problem = services6 === null ? null : await this.#makeLocal6(services6)
    const usable = problem === null ? services6 : null
    this.#local = { networks, services6: usable, problem, sinceMs: nowMs }
  }

  async #makeLocal6(services6: string): Promise<string | null> {
    try {
      await this.#deps.makeLocal(services6)
      return null
    } catch (error) {
      const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      return `services are not offered by IPv6 here: ${why}`
    }
  }

  /** Each problem becomes an event once, as long as it lasts. */
  #tell(problems: readonly string[]): void {
    const before = this.#problems
    this.#problems = new Set(problems)
    for (const problem of this.#problems) {
      if (before.has(problem)) continue
      this.#deps.logger.warn({ problem }, 'the proxy does not offer everything')
      this.#deps.send({
        kind: 'notice',
        action: 'not-offered',
        reason: problem.slice(0, maxReason),
      })
    }
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
