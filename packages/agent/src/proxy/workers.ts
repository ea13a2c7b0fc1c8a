import type { ProxyConfig } from './core/config.ts'
import { commandLines, removableServers, serverCommands } from './core/difference.ts'
import { closedFrontends } from './core/stats.ts'
import {
  type ObservedServer,
  parseInfo,
  parseProcesses,
  parseServers,
  type ReplacedWorker,
} from './core/worker.ts'

export interface Worker {
  readonly pid: number
  /** What it was started with (see `structureOf`). */
  readonly structure: string
  /** At all of its addresses: another process may have had it let go of some. */
  readonly isListening: boolean
}

type Ask = (line: string) => Promise<string>

/** After so many tries a worker that does not go by what it is told is given up. */
const rounds = 5

/** The processes that handle connections, reached through their master. */
export class Workers {
  readonly #ask: Ask
  /** Those that have been seen to end what they have: they never take anything again. */
  #replaced: ReadonlySet<number> = new Set()

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /** Those that take new connections. Requests that come to others are passed on to these. */
  async taking(): Promise<readonly Worker[]> {
    const taking: Worker[] = []
    const replaced = new Set<number>()
    for (const { pid } of parseProcesses(await this.#ask('show proc'))) {
      if (this.#replaced.has(pid)) replaced.add(pid)
      if (replaced.has(pid)) continue
      const answer = await this.#ask(`@!${pid} show info; @!${pid} show stat -1 1 -1`)
      const info = parseInfo(answer)
      if (info?.isStopping) replaced.add(pid)
      if (!info || info.isStopping) continue
      const isListening = closedFrontends(answer).length === 0
      taking.push({ pid, structure: info.structure, isListening })
    }
    this.#replaced = replaced
    return taking
  }

  /** Those that only end what they have, as far as has been seen, with how much that is. */
  async replaced(): Promise<readonly ReplacedWorker[]> {
    const replaced: ReplacedWorker[] = []
    for (const process of parseProcesses(await this.#ask('show proc'))) {
      if (!this.#replaced.has(process.pid)) continue
      const info = parseInfo(await this.#ask(`@!${process.pid} show info`))
      if (info) replaced.push({ ...process, connections: info.connections })
    }
    return replaced
  }

  /** How many only end what they have. */
  get countReplaced(): number {
    return this.#replaced.size
  }

  /** All of them, those that only end what they have included. */
  async pids(): Promise<readonly number[]> {
    return parseProcesses(await this.#ask('show proc')).map(({ pid }) => pid)
  }

  /**
   * Resolves, with the servers that it has then, when the worker goes by the servers of `config` in all backends that
   * it has: it was asked afterwards.
   */
  async bring(pid: number, config: ProxyConfig): Promise<readonly ObservedServer[]> {
    let answer = ''
    for (let round = 0; round < rounds; round++) {
      const observed = await this.#servers(pid)
      const backends = new Set(await this.#backends(pid, config, observed))
      const commands = serverCommands(
        { ...config, backends: config.backends.filter(({ name }) => backends.has(name)) },
        observed,
      )
      if (commands.length === 0) return observed
      answer = ''
      for (const line of commandLines(pid, commands)) answer += await this.#ask(line)
    }
    throw new Error(`HAProxy does not do what it is told: ${answer.trim().slice(0, 500)}`)
  }

  /** Forgets servers to which nothing is under way any more; resolves with how many are left. */
  async forget(pid: number, config: ProxyConfig): Promise<number> {
    const commands = removableServers(config, await this.#servers(pid))
    for (const line of commandLines(pid, commands)) await this.#ask(line)
    if (commands.length === 0) return 0
    return removableServers(config, await this.#servers(pid)).length
  }

  async #servers(pid: number): Promise<readonly ObservedServer[]> {
    return parseServers(await this.#ask(`@!${pid} show servers state`))
  }

  /** A backend without servers is not among the states of servers. */
  async #backends(
    pid: number,
    config: ProxyConfig,
    observed: readonly ObservedServer[],
  ): Promise<readonly string[]> {
    const shown = new Set(observed.map(({ backend }) => backend))
    const isShown = config.backends.every(
      ({ name, servers }) => servers.length === 0 || shown.has(name),
    )
    if (isShown) return config.backends.map(({ name }) => name)
    const answer = await this.#ask(`@!${pid} show backend`)
    return answer.split('\n').map((line) => line.trim())
  }
}
