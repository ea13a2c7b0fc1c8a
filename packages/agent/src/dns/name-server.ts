import type { Clock, Timer } from '@bulkhead/shared'
import type { DnsHandler, DnsListening, Forwarder, ListenDns } from '@bulkhead/shared/dns'

import { emptyDirectory, type NameState } from './core/name-state.ts'
import { nameHandler } from './name-handler.ts'
import type { Served } from './name-serving.ts'

export interface NameServerDeps {
  readonly clock: Clock
  readonly listen: ListenDns
  /** Has names of others looked up, by the resolvers that the file names; null: they are refused. */
  readonly forwarderOf: (resolvConf: string) => Forwarder | null
  /** Somebody was left without an answer. */
  readonly onError: (error: unknown) => void
  /** It listens where it could not before, or the other way round. */
  readonly onServed: (served: Served) => void
}

const dnsPort = 53
const bindRetryMs = 1000

function why(error: unknown, gateway: string): string {
  if (!(error instanceof Error)) return String(error)
  if (!('code' in error) || error.code !== 'EADDRINUSE') return error.message
  return `port ${dnsPort} of ${gateway} is taken by another program; let that listen only at the addresses that it needs`
}

/** DNS on the gateway of each bridge, where containers have their resolver. */
export class NameServer {
  readonly #deps: NameServerDeps
  readonly #listening = new Map<string, DnsListening>()
  #problems: Record<string, string> = {}
  #state: NameState = {
    bridges: [],
    directory: emptyDirectory,
    forwarding: false,
    resolvConf: '',
  }
  #handler: DnsHandler
  #retry: Timer | null = null
  #tail: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(deps: NameServerDeps) {
    this.#deps = deps
    this.#handler = this.#handlerFor(this.#state)
  }

  get state(): NameState {
    return this.#state
  }

  /** Never rejects: what cannot be listened at is said, and tried again. */
  async serve(state: NameState): Promise<Served> {
    if (state.resolvConf !== this.#state.resolvConf) this.#handler = this.#handlerFor(state)
    this.#state = state
    await this.#alone(() => this.#listen())
    return this.#served()
  }

  /** Answers what it has been asked, and ends. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#retry?.cancel()
    await this.#alone(async () => {
      await Promise.all([...this.#listening.values()].map((server) => server.close()))
      this.#listening.clear()
    })
  }

  #handlerFor({ resolvConf }: NameState): DnsHandler {
    const { forwarderOf, onError } = this.#deps
    const forwarder = forwarderOf(resolvConf)
    return nameHandler({ state: () => this.#state, forwarder, onError })
  }

  #served(): Served {
    return { listening: [...this.#listening.keys()], problems: this.#problems }
  }

  #alone(work: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(work)
    return this.#tail
  }

  async #listen(): Promise<void> {
    const wanted = new Set(this.#state.bridges.map(({ gateway }) => gateway))
    for (const [gateway, server] of this.#listening) {
      if (wanted.has(gateway)) continue
      this.#listening.delete(gateway)
      await server.close()
    }
    this.#problems = {}
    const missing = [...wanted].filter((gateway) => !this.#listening.has(gateway))
    await Promise.all(missing.map((gateway) => this.#listenAt(gateway)))
    if (Object.keys(this.#problems).length > 0) this.#tryAgain()
  }

  async #listenAt(gateway: string): Promise<void> {
    if (this.#isClosed) return
    const { listen } = this.#deps
    try {
      this.#listening.set(
        gateway,
        await listen(gateway, dnsPort, (request) => this.#handler(request)),
      )
    } catch (error) {
      this.#problems[gateway] = why(error, gateway)
    }
  }

  #tryAgain(): void {
    this.#retry?.cancel()
    this.#retry = this.#deps.clock.after(bindRetryMs, () => {
      if (this.#isClosed) return
      void this.#alone(async () => {
        const before = this.#listening.size
        await this.#listen()
        if (this.#listening.size !== before) this.#deps.onServed(this.#served())
      })
    })
  }
}
