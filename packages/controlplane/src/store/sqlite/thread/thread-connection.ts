import { Worker } from 'node:worker_threads'

import { StoreUnusable } from '../../store.ts'
import type { Connection, ConnectionOptions } from '../connection.ts'
import type { EncodedBatch } from '../encoded-batch.ts'
import { unpackError, type NumberedRequest, type Reply, type Request } from './messages.ts'

/** What a thread runs: the source, or in a bundle the file that the build has made of it. */
const threadFile = import.meta.url.endsWith('.ts') ? './main.ts' : './store-thread.mjs'

/** Texts of a few batches: what is young lives for one commit. */
const limits = { maxYoungGenerationSizeMb: 16 }

/** The file, opened in a thread of its own, so that neither SQLite nor the disk keeps this one waiting. */
export class ThreadConnection implements Connection {
  readonly #worker: Worker
  readonly #onProblem: (error: unknown) => void
  readonly #opened = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()
  readonly #waiting = new Map<number, PromiseWithResolvers<number>>()
  #next = 1
  #isClosed = false

  private constructor(options: ConnectionOptions, onProblem: (error: unknown) => void) {
    this.#onProblem = onProblem
    this.#worker = new Worker(new URL(threadFile, import.meta.url), {
      workerData: options,
      resourceLimits: limits,
    })
    this.#worker.on('message', (reply: Reply) => this.#take(reply))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => {
      this.#fail(new Error('it has ended'))
      this.#ended.resolve()
    })
  }

  /** Errors as of opening it in this thread; `onProblem` hears of what fails nothing. */
  static async open(
    options: ConnectionOptions,
    onProblem: (error: unknown) => void,
  ): Promise<ThreadConnection> {
    const connection = new ThreadConnection(options, onProblem)
    await connection.#opened.promise
    connection.#worker.unref()
    return connection
  }

  async commit(batch: EncodedBatch): Promise<void> {
    await this.#ask({ kind: 'commit', batch })
  }

  async pruneEvents(keep: number): Promise<number> {
    return this.#ask({ kind: 'prune-events', keep })
  }

  async backup(file: string): Promise<void> {
    await this.#ask({ kind: 'backup', file })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    const closed = this.#ask({ kind: 'close' })
    this.#isClosed = true
    await closed
    this.#worker.ref()
    await this.#ended.promise
  }

  async #ask(request: Request): Promise<number> {
    if (this.#isClosed) throw new Error('The database is closed')
    const answer = Promise.withResolvers<number>()
    const number = this.#next++
    this.#waiting.set(number, answer)
    // As long as somebody waits for an answer the process has something to do.
    if (this.#waiting.size === 1) this.#worker.ref()
    this.#worker.postMessage({ number, request } satisfies NumberedRequest)
    return answer.promise
  }

  #take(reply: Reply): void {
    switch (reply.kind) {
      case 'opened':
        this.#opened.resolve()
        return
      case 'not-opened':
        this.#opened.reject(unpackError(reply.error))
        return
      case 'done':
        this.#settled(reply.number)?.resolve(reply.value)
        return
      case 'failed':
        this.#settled(reply.number)?.reject(unpackError(reply.error))
        return
      case 'problem':
        this.#onProblem(unpackError(reply.error))
        return
      default:
        reply satisfies never
    }
  }

  #settled(number: number): PromiseWithResolvers<number> | undefined {
    const answer = this.#waiting.get(number)
    this.#waiting.delete(number)
    if (this.#waiting.size === 0) this.#worker.unref()
    return answer
  }

  /** What it was asked for may or may not have been done, so that this process cannot go on with the data. */
  #fail(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error)
    const lost = new StoreUnusable(`the thread that writes the database was lost: ${why}`, {
      cause: error,
    })
    this.#isClosed = true
    this.#opened.reject(lost)
    for (const answer of this.#waiting.values()) answer.reject(lost)
    this.#waiting.clear()
  }
}
