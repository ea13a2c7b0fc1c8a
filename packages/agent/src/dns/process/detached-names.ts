import { type Clock, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { NameState } from '../core/name-state.ts'
import type { NameServing, Served } from '../name-serving.ts'
import { mark, marked, type ProcessIdentity } from './identity.ts'
import { NamesLink } from './link.ts'
import {
  endNames,
  endProcess,
  lastWords,
  removeSockets,
  socketOf,
  startProcess,
} from './names-process.ts'
import type { Program } from './program.ts'

export interface DetachedNamesDeps {
  readonly clock: Clock
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn'>
  readonly program: () => Promise<Program>
}

const startMs = 10_000
const pollMs = 20
const guardMs = 200
/** Every so many looks it is asked whether it still answers. */
const askEvery = 5

/**
 * The name server as a process of its own. The one that an earlier agent has left is gone on with when it runs the
 * same program; else another one is started, listens beside it, and only then is the old one ended.
 */
export class DetachedNames implements NameServing {
  readonly #deps: DetachedNamesDeps
  readonly #directory: string
  #link: NamesLink | null = null
  #wanted: NameState | null = null
  #onServed: (served: Served) => void = () => {}
  #tail: Promise<unknown> = Promise.resolve()

  /** `directory` is for its files, and nobody else's. */
  constructor(deps: DetachedNamesDeps, directory: string) {
    this.#deps = deps
    this.#directory = directory
  }

  /** Process id; null when it does not run. */
  get pid(): number | null {
    return marked(this.#directory)?.pid ?? null
  }

  serve(state: NameState): Promise<Served> {
    this.#wanted = state
    return this.#alone(() => this.#bring(this.#wanted ?? state))
  }

  async guard(signal: AbortSignal, onServed: (served: Served) => void): Promise<void> {
    this.#onServed = onServed
    for (let look = 1; !signal.aborted; look++) {
      await sleep(this.#deps.clock, guardMs, signal).catch(() => {})
      const isDue = this.#link?.isOpen !== true || look % askEvery === 0
      if (signal.aborted || this.#wanted === null || !isDue) continue
      const served = await this.#alone(() => this.#look()).catch((error: unknown) => {
        this.#deps.logger.warn({ err: error }, 'names are not served; trying again')
      })
      if (served) onServed(served)
    }
    await this.#tail
    this.#link?.close()
  }

  stop(): Promise<void> {
    this.#wanted = null
    return this.#alone(async () => {
      this.#link?.close()
      this.#link = null
      await endNames(this.#deps.clock, this.#directory)
    })
  }

  async #look(): Promise<Served | null> {
    if (this.#wanted === null) return null
    if (this.#link !== null && !this.#link.isOpen) {
      const words = await lastWords(this.#directory, 3)
      this.#deps.logger.warn({ lastWords: words }, 'the name server has ended: starting it')
    }
    return this.#bring(this.#wanted)
  }

  /** One at a time: what is half done is never looked at. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => {})
    return result
  }

  async #bring(state: NameState): Promise<Served> {
    // Where there is nobody to answer no process is needed.
    if (state.bridges.length === 0 && this.pid === null) return { listening: [], problems: {} }
    const current = this.#link?.isOpen === true ? this.#link : await this.#left()
    if (current !== null) {
      try {
        return await this.#use(current, state)
      } catch (error) {
        this.#deps.logger.warn({ err: error }, 'the name server does not answer: replacing it')
      }
    }
    return this.#replace(state)
  }

  /** The one that an earlier agent has left, when it answers and runs the same program. */
  async #left(): Promise<NamesLink | null> {
    const left = marked(this.#directory)
    const link = left && (await this.#open(left).catch(() => null))
    const running = await link?.program().catch(() => null)
    const { id } = await this.#deps.program()
    if (running === id) return link
    link?.close()
    return null
  }

  async #replace(state: NameState): Promise<Served> {
    const { clock, logger } = this.#deps
    const old = marked(this.#directory)
    const fresh = await startProcess(this.#directory, await this.#deps.program())
    try {
      const served = await this.#use(await this.#connect(fresh), state)
      await mark(this.#directory, fresh)
      if (old) await endProcess(clock, old)
      await removeSockets(this.#directory, fresh)
      logger.info({ pid: fresh.pid, replaces: old?.pid }, 'names are served')
      return served
    } catch (error) {
      this.#link?.close()
      await endProcess(clock, fresh)
      throw error
    }
  }

  async #use(link: NamesLink, state: NameState): Promise<Served> {
    if (this.#link !== link) this.#link?.close()
    this.#link = link
    link.onServed = (served) => this.#onServed(served)
    return link.serve(state)
  }

  async #connect(fresh: ProcessIdentity): Promise<NamesLink> {
    const { clock } = this.#deps
    const sinceMs = clock.monotonicMs()
    for (;;) {
      const link = await this.#open(fresh).catch(() => null)
      if (link !== null) return link
      const isLate = clock.monotonicMs() > sinceMs + startMs
      if (isLate) throw new Error(`it has not begun: ${await lastWords(this.#directory)}`)
      await sleep(clock, pollMs)
    }
  }

  #open(process: ProcessIdentity): Promise<NamesLink> {
    return NamesLink.open(this.#deps.clock, socketOf(this.#directory, process))
  }
}
