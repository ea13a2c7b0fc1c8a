import { type Clock, type FromAgentMessage, sleep } from '@bulkhead/shared'
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

/** The node-local proxy as a consumer of endpoint tables, and what it says to the control plane. */
export class ProxyService implements TrafficConsumer {
  readonly name = 'proxy'
  readonly #deps: ProxyServiceDeps
  #told: Told = new Map()
  #problems: ReadonlySet<string> = new Set()
  #local: { readonly networks: string; readonly sinceMs: number } | null = null
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
    await this.#ensureLocal(
      [policy.services, policy.services6].filter((network) => network !== null),
    )
    const { config, problems } = makeConfig(traffic, policy, this.#deps.node(), new Map())
    const { leftOut } = await this.#deps.proxy.apply(config)
    this.#tell([...problems, ...leftOut])
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

  async #ensureLocal(networks: readonly string[]): Promise<void> {
    const { clock, makeLocal } = this.#deps
    const wanted = networks.join(' ')
    const nowMs = clock.monotonicMs()
    if (this.#local?.networks === wanted && nowMs < this.#local.sinceMs + routeMs) return
    for (const network of networks) await makeLocal(network)
    this.#local = { networks: wanted, sinceMs: nowMs }
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
