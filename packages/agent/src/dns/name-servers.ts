import type { Clock } from '@bulkhead/shared'
import type { DnsHandler, DnsListening, ListenDns } from '@bulkhead/shared/dns'
import type { Logger } from 'pino'

export interface NameServersDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly listen: ListenDns
  readonly handler: DnsHandler
  /** For people: why names cannot be looked up on a network, or that they can again. */
  readonly onNotice: (action: string, reason: string) => void
}

const dnsPort = 53
const bindRetryMs = 2000

interface Served {
  readonly gateway: string
  /** Null while it cannot be bound. */
  readonly server: DnsListening | null
}

/** DNS on the gateway of each network, where containers have their resolver. */
export class NameServers {
  readonly #deps: NameServersDeps
  readonly #served = new Map<string, Served>()
  readonly #problems = new Map<string, string>()
  #isClosed = false

  constructor(deps: NameServersDeps) {
    this.#deps = deps
  }

  /** The address to ask on the network; null when nobody answers there. */
  addressOn(network: string): string | null {
    const served = this.#served.get(network)
    return served?.server ? served.gateway : null
  }

  /** Says once more what is wrong, to somebody who has not heard it. */
  repeatProblems(): void {
    for (const problem of this.#problems.values()) this.#deps.onNotice('dns-unavailable', problem)
  }

  /** Never rejects: containers run without it, too, and it is tried again. */
  async serve(network: string, gateway: string): Promise<void> {
    const { listen, handler, logger } = this.#deps
    const known = this.#served.get(network)
    if (known?.gateway === gateway && known.server) return
    await known?.server?.close()
    this.#served.set(network, { gateway, server: null })
    try {
      const server = await listen(gateway, dnsPort, handler)
      if (this.#isClosed || this.#served.get(network)?.gateway !== gateway)
        return await server.close()
      this.#served.set(network, { gateway, server })
      this.#note(network, '')
      logger.info({ network, address: gateway }, 'names are served')
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#note(network, `names cannot be looked up on network ${network}: ${why}`)
      this.#retry(network, gateway)
    }
  }

  async stop(network: string): Promise<void> {
    const { server } = this.#served.get(network) ?? {}
    this.#served.delete(network)
    this.#problems.delete(network)
    await server?.close()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#served.keys()].map((network) => this.stop(network)))
  }

  #note(network: string, problem: string): void {
    const { logger, onNotice } = this.#deps
    if ((this.#problems.get(network) ?? '') === problem) return
    if (problem === '') {
      this.#problems.delete(network)
      onNotice('dns-served', `names can be looked up on network ${network} again`)
      return
    }
    this.#problems.set(network, problem)
    logger.warn({ network }, problem)
    onNotice('dns-unavailable', problem)
  }

  #retry(network: string, gateway: string): void {
    this.#deps.clock.after(bindRetryMs, () => {
      const served = this.#served.get(network)
      if (this.#isClosed || served?.gateway !== gateway || served.server) return
      void this.serve(network, gateway)
    })
  }
}
