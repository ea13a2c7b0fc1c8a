import { connect, type Socket } from 'node:net'

import { type Clock, sleep } from '@bulkhead/shared'

import { withShortPath } from '../../node/short-path.ts'
import { changeTo } from '../core/name-change.ts'
import type { NameDirectory, NameState } from '../core/name-state.ts'
import type { Served } from '../name-serving.ts'
import { encode, Lines, type NamesMessage } from './protocol.ts'

const helloMs = 3000
/** An answer is due within this time … */
const answerMs = 3000
/** … and this, in which what came while this process itself stood still is read. */
const graceMs = 500

/** A connection to the process that serves names. */
export class NamesLink {
  readonly #clock: Clock
  readonly #socket: Socket
  readonly #hello = Promise.withResolvers<string>()
  readonly #waiting = new Map<number, PromiseWithResolvers<Served>>()
  #onServed: (served: Served) => void = () => {}
  #sequence = 0
  /** What it has been told of services. */
  #told: NameDirectory | null = null

  private constructor(clock: Clock, socket: Socket) {
    this.#clock = clock
    this.#socket = socket
    const lines = new Lines()
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      for (const line of lines.take(text)) this.#take(JSON.parse(line) as NamesMessage)
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#fail(new Error('the name server has closed the connection')))
    this.#hello.promise.catch(() => {})
  }

  /** Rejects when nobody listens there, or does not say who it is in time. */
  static async open(clock: Clock, path: string): Promise<NamesLink> {
    const socket = await withShortPath(path, connected)
    return new NamesLink(clock, socket)
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  /** The program that it runs. */
  program(): Promise<string> {
    return this.#within(helloMs, this.#hello.promise)
  }

  /** Hears of what changes without being asked for. */
  set onServed(onServed: (served: Served) => void) {
    this.#onServed = onServed
  }

  /** Resolves when every answer goes by `state`. Rejects, and is closed, when that is not said in time. */
  serve(state: NameState): Promise<Served> {
    if (!this.isOpen) return Promise.reject(new Error('the name server has ended'))
    const sequence = ++this.#sequence
    const change = changeTo(this.#told, state)
    this.#told = state.directory ?? this.#told
    const waiting = Promise.withResolvers<Served>()
    this.#waiting.set(sequence, waiting)
    this.#socket.write(encode({ sequence, change }))
    return this.#within(answerMs, waiting.promise)
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(message: NamesMessage): void {
    if (message.kind === 'hello') return this.#hello.resolve(message.program)
    const { sequence, served } = message
    if (sequence === null) return this.#onServed(served)
    this.#waiting.get(sequence)?.resolve(served)
    this.#waiting.delete(sequence)
  }

  #fail(error: Error): void {
    this.#hello.reject(error)
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }

  async #within<T>(deadlineMs: number, awaited: Promise<T>): Promise<T> {
    const ended = new AbortController()
    const late = async (): Promise<never> => {
      await sleep(this.#clock, deadlineMs, ended.signal)
      await sleep(this.#clock, graceMs, ended.signal)
      this.close()
      throw new Error('the name server does not answer')
    }
    try {
      return await Promise.race([awaited, late()])
    } finally {
      ended.abort(new Error('answered'))
    }
  }
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('connect', resolve)
  socket.once('error', reject)
  await promise
  socket.off('error', reject)
  return socket
}
