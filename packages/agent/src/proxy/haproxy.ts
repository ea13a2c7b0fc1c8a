import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { type Clock, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { checkConfig, Unloadable } from './check-config.ts'
import type { ProxyConfig } from './core/config.ts'
import { takenBySomebody } from './core/listeners.ts'
import { parseTraffic } from './core/stats.ts'
import {
  bindOf,
  certificateLists,
  configText,
  type ProcessSettings,
  structureOf,
} from './core/text.ts'
import { parseMaster } from './core/worker.ts'
import { findMaster } from './find-master.ts'
import { limitReplaced, usualReplaced } from './limit-replaced.ts'
import { readListeners, socketsOf } from './listening.ts'
import { MasterProcess } from './master-process.ts'
import { askMaster } from './master-socket.ts'
import type { Applied, Proxy, ServerTraffic } from './proxy.ts'
import { type Worker, Workers } from './workers.ts'

export interface HaproxyDeps {
  readonly clock: Clock
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>
}

export interface HaproxySettings {
  readonly version: string
  readonly binary: string
  /** For its files: nobody else's. */
  readonly directory: string
  readonly account: { readonly user: string; readonly group: string } | null
  readonly threads: number
  /** So many processes that were replaced may go on for the sake of their connections. */
  readonly mostReplaced?: number
}

/** After so long without success, what was asked for is refused. */
const applyMs = 15_000
const startMs = 10_000
const pollMs = 20
/** After a start that failed. */
const againMs = 300
const guardMs = 200
const sweepMs = 1000
/** Somebody may have changed it by hand. */
const verifyMs = 60_000

/** HAProxy as the node-local proxy: a master that outlives the agent, told of servers without a reload. */
export class Haproxy implements Proxy {
  readonly version: string
  readonly #deps: HaproxyDeps
  readonly #settings: HaproxySettings
  readonly #process: ProcessSettings
  readonly #master: MasterProcess
  readonly #workers: Workers
  #wanted: ProxyConfig | null = null
  #isServing = false
  #hasLeftovers = false
  #verifiedMs = 0
  #sweptMs = 0
  #tail: Promise<unknown> = Promise.resolve()

  constructor(deps: HaproxyDeps, settings: HaproxySettings) {
    const { account, threads, directory } = settings
    this.version = settings.version
    this.#deps = deps
    this.#settings = settings
    const root = join(directory, 'empty')
    this.#process = { account: account && { ...account, root }, threads }
    this.#master = new MasterProcess({ ...deps, binary: settings.binary }, directory)
    this.#workers = new Workers((line) => this.#ask(line))
    this.#isServing = this.#master.pid !== null
  }

  /** Process id of the master; null when it does not run. */
  get pid(): number | null {
    return this.#master.pid
  }

  /** It has gone by what it was told at least once, by this agent or by the one that has left it running. */
  get isServing(): boolean {
    return this.#isServing
  }

  apply(config: ProxyConfig): Promise<Applied> {
    this.#wanted = config
    return this.#alone(async () => {
      const applied = await this.#bring(config)
      this.#isServing = true
      return applied
    })
  }

  async stats(): Promise<readonly ServerTraffic[]> {
    if (this.#master.pid === null) return []
    const all: ServerTraffic[] = []
    for (const pid of await this.#workers.pids()) {
      all.push(...parseTraffic(pid, await this.#ask(`@!${pid} show stat -1 4 -1`)))
    }
    return all
  }

  async guard(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#deps.clock, guardMs, signal).catch(() => {})
      if (signal.aborted || this.#wanted === null) continue
      try {
        await this.#look()
      } catch (error) {
        this.#deps.logger.warn({ err: error }, 'the proxy is not as it should be; trying again')
        await sleep(this.#deps.clock, sweepMs, signal).catch(() => {})
      }
    }
    await this.#tail
  }

  /** Ends it for good. */
  stop(): Promise<void> {
    this.#wanted = null
    return this.#alone(() => this.#master.stop())
  }

  async #look(): Promise<void> {
    const nowMs = this.#deps.clock.monotonicMs()
    if (this.#master.pid === null) {
      await this.#alone(() => this.#revive())
    } else if (nowMs > this.#verifiedMs + verifyMs) {
      await this.#master.limitLog()
      await this.#alone(async () => this.#wanted && this.#bring(this.#wanted))
    } else if (this.#hasLeftovers && nowMs > this.#sweptMs + sweepMs) {
      this.#sweptMs = nowMs
      await this.#alone(async () => this.#wanted && this.#sweep(this.#wanted))
    }
  }

  /** Unless it is about to begin, or has been ended for good. */
  async #revive(): Promise<void> {
    if (this.#wanted === null || this.#master.pid !== null) return
    const lastWords = await this.#master.lastWords(3)
    this.#deps.logger.warn({ lastWords }, 'the proxy has ended: starting it')
    await this.#bring(this.#wanted)
  }

  /** One at a time: what is half done is never looked at. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => {})
    return result
  }

  #ask(line: string): Promise<string> {
    return askMaster(this.#master.files.socket, line)
  }

  async #bring(config: ProxyConfig): Promise<Applied> {
    const { clock, logger } = this.#deps
    const sinceMs = clock.monotonicMs()
    let answered = false
    for (;;) {
      try {
        if (!(await this.#isThere())) return await this.#begin(config)
        await this.#ask('show proc')
        answered = true
        return await this.#adjust(config)
      } catch (error) {
        const isLate = clock.monotonicMs() > sinceMs + applyMs
        if (error instanceof Unloadable || (isLate && answered)) throw error
        if (isLate) {
          logger.error({ err: error }, 'the proxy does not answer: starting it anew')
          await this.#master.stop()
          return this.#begin(config)
        }
        logger.debug({ err: error }, 'the proxy is not ready')
        await sleep(clock, this.#master.pid === null ? againMs : pollMs)
      }
    }
  }

  /** It may have been started by an agent that ended before it could write that down. */
  async #isThere(): Promise<boolean> {
    if (this.#master.pid !== null) return true
    const pid =
      (await this.#ask('show proc').then(parseMaster, () => null)) ??
      (await findMaster(this.#settings.directory))
    if (pid === null) return false
    await this.#master.adopt(pid)
    return this.#master.pid !== null
  }

  async #adjust(config: ProxyConfig): Promise<Applied> {
    const taking = await this.#workers.taking()
    if (taking.length === 0) throw new Error('no process of the proxy takes connections')
    for (const { pid } of taking) {
      const servers = await this.#workers.bring(pid, config)
      this.#hasLeftovers ||= servers.some(({ isInMaintenance }) => isInMaintenance)
    }
    const isAt = (wanted: ProxyConfig) => {
      const structure = structureOf(wanted, this.#process)
      return (worker: Worker) => worker.isListening && worker.structure === structure
    }
    // Who listens where is looked up only when something about that may change.
    const { fitting, leftOut } = taking.every(isAt(config))
      ? { fitting: config, leftOut: [] }
      : await this.#fit(config)
    if (!taking.every(isAt(fitting))) {
      await this.#reload(fitting, structureOf(fitting, this.#process))
      const now = await this.#workers.taking()
      if (!now.every(isAt(fitting))) throw new Error('not all addresses are listened at')
    }
    this.#verifiedMs = this.#deps.clock.monotonicMs()
    return { leftOut }
  }

  async #begin(config: ProxyConfig): Promise<Applied> {
    const { fitting, leftOut } = await this.#fit(config)
    await this.#write(fitting)
    await this.#master.start()
    await this.#settled(structureOf(fitting, this.#process))
    this.#hasLeftovers = false
    this.#verifiedMs = this.#deps.clock.monotonicMs()
    this.#deps.logger.info({ pid: this.#master.pid }, 'the proxy runs')
    return { leftOut }
  }

  async #reload(config: ProxyConfig, structure: string): Promise<void> {
    await this.#write(config)
    const sinceMs = this.#deps.clock.monotonicMs()
    // Older ones end the connection at once, newer ones when it is done.
    await this.#ask('reload')
    await this.#settled(structure)
    const tookMs = Math.round(this.#deps.clock.monotonicMs() - sinceMs)
    this.#deps.logger.info({ tookMs }, 'the proxy has other frontends')
    const most = this.#settings.mostReplaced ?? usualReplaced
    await limitReplaced(this.#workers, this.#master, { logger: this.#deps.logger, most })
  }

  /** Resolves when every process that takes connections goes by the structure. */
  async #settled(structure: string): Promise<void> {
    const { clock } = this.#deps
    const sinceMs = clock.monotonicMs()
    for (;;) {
      await sleep(clock, pollMs)
      const taking = await this.#workers.taking().catch(() => [])
      if (taking.length > 0 && taking.every((worker) => worker.structure === structure)) return
      const hasEnded = this.#master.pid === null
      if (!hasEnded && clock.monotonicMs() < sinceMs + startMs) continue
      throw new Error(`HAProxy has not begun: ${await this.#master.lastWords()}`)
    }
  }

  /** Leaves out what listens where somebody else does. */
  async #fit(config: ProxyConfig): Promise<{ fitting: ProxyConfig; leftOut: string[] }> {
    const pids = this.#master.pid === null ? [] : await this.#workers.pids()
    const listeners = await readListeners()
    const taken = takenBySomebody(config.frontends, listeners, await socketsOf(pids))
    const leftOut = taken.map(
      (frontend) =>
        `${bindOf(frontend)} is in use by another program: ${frontend.name} is not offered`,
    )
    const frontends = config.frontends.filter((frontend) => !taken.includes(frontend))
    return { fitting: taken.length === 0 ? config : { ...config, frontends }, leftOut }
  }

  /** Makes the file that it starts with, once it is known that it can be loaded. */
  async #write(config: ProxyConfig): Promise<void> {
    const { directory, binary } = this.#settings
    const { config: path } = this.#master.files
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await mkdir(join(directory, 'empty'), { recursive: true })
    await chmod(join(directory, 'empty'), 0o555)
    for (const [name, text] of certificateLists(config))
      await writeFile(join(directory, name), text)
    await writeFile(`${path}.new`, configText(config, this.#process), { mode: 0o600 })
    await checkConfig(binary, directory, 'haproxy.cfg.new')
    await rename(`${path}.new`, path)
  }

  async #sweep(config: ProxyConfig): Promise<void> {
    let left = 0
    for (const { pid } of await this.#workers.taking())
      left += await this.#workers.forget(pid, config)
    this.#hasLeftovers = left > 0
  }
}
