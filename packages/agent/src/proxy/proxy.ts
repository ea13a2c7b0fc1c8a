import type { ProxyConfig } from './core/config.ts'

/** What one server has been given since its process began; counters only go up. */
export interface ServerTraffic {
  /** Of the process that counted: another one counts from zero. */
  readonly process: number
  readonly backend: string
  /** Of the server: its instance. */
  readonly server: string
  readonly requests: number
  /** Answers 500 to 599, and connections that failed. */
  readonly errors: number
  readonly connections: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** A node-local proxy: it outlives the agent's process. */
export interface Proxy {
  readonly version: string
  /**
   * Resolves when everything that takes new traffic goes by `config`; what it withdraws gets nothing new from then
   * on. Rejects when that could not be made sure of. Calls one at a time. `leftOut` names what could not be offered.
   */
  apply(config: ProxyConfig): Promise<Applied>
  stats(): Promise<readonly ServerTraffic[]>
  /** Ends it for good. */
  stop(): Promise<void>
  /** Looks after the process until `signal` is aborted, which leaves it running. */
  guard(signal: AbortSignal): Promise<void>
}

export interface Applied {
  /** Frontends whose address somebody else uses: whole sentences. */
  readonly leftOut: readonly string[]
}
