import { type Clock, type FromAgentMessage, sleep, type ToAgentMessage } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { type Engine, EngineError, type OutputChunk } from '../engine/engine.ts'

type StreamOpen = Extract<ToAgentMessage, { kind: 'stream-open' }>

export interface StreamsDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly engine: Engine
  /** Null when there is no container of that instance. */
  readonly findContainer: (instance: string) => string | null
  readonly send: (message: FromAgentMessage) => void
  readonly bufferedBytes: () => number
}

const maxStreams = 32
/** Of one message, before encoding. */
const maxChunkBytes = 64 * 1024
/** A stream pauses while this much waits to leave, and fails when it still does after `stuckMs`. */
const maxBufferedBytes = 1024 * 1024
const stuckMs = 30_000
const lookAgainMs = 20
/** No command of an operator runs longer unattended. */
const execMs = 60 * 60 * 1000

/** Logs, commands and figures for operators. A slow operator slows down a stream, not the agent. */
export class Streams {
  readonly #deps: StreamsDeps
  readonly #open = new Map<number, AbortController>()

  constructor(deps: StreamsDeps) {
    this.#deps = deps
  }

  open(message: StreamOpen): void {
    const { stream } = message
    if (this.#open.has(stream) || this.#open.size >= maxStreams) {
      this.#end(stream, null, 'the agent serves no more streams at once')
      return
    }
    const controller = new AbortController()
    this.#open.set(stream, controller)
    void this.#serve(message, controller)
  }

  close(stream: number): void {
    this.#open.get(stream)?.abort()
  }

  closeAll(): void {
    for (const controller of this.#open.values()) controller.abort()
  }

  async #serve(message: StreamOpen, controller: AbortController): Promise<void> {
    const { stream, instance, request } = message
    const { signal } = controller
    try {
      const containerId = this.#deps.findContainer(instance)
      if (containerId === null) throw new EngineError('no-such-container', 'it has no container')
      const exitCode = await this.#answer(stream, containerId, request, signal)
      this.#end(stream, exitCode, '')
    } catch (error) {
      if (!(error instanceof EngineError)) {
        this.#deps.logger.error({ err: error, instance }, 'a stream failed')
      }
      const text = error instanceof Error ? error.message : String(error)
      if (!signal.aborted) this.#end(stream, null, text)
    } finally {
      this.#open.delete(stream)
      controller.abort()
    }
  }

  async #answer(
    stream: number,
    containerId: string,
    request: StreamOpen['request'],
    signal: AbortSignal,
  ): Promise<number | null> {
    const { engine, clock } = this.#deps
    if (request.kind === 'stats') {
      const text = `${JSON.stringify(await engine.stats(containerId))}\n`
      await this.#send(stream, { channel: 'stdout', data: Buffer.from(text) }, signal)
      return null
    }
    if (request.kind === 'logs') {
      for await (const chunk of engine.logs(containerId, request, signal)) {
        await this.#send(stream, chunk, signal)
      }
      return null
    }
    const deadline = new AbortController()
    const timer = clock.after(execMs, () => deadline.abort())
    try {
      const either = AbortSignal.any([signal, deadline.signal])
      const execution = await engine.exec(containerId, request.command, either)
      for await (const chunk of execution.output) await this.#send(stream, chunk, signal)
      return await execution.exitCode()
    } finally {
      timer.cancel()
    }
  }

  async #send(stream: number, chunk: OutputChunk, signal: AbortSignal): Promise<void> {
    const { channel, data } = chunk
    for (let start = 0; start < data.length; start += maxChunkBytes) {
      await this.#room(signal)
      const part = data.subarray(start, start + maxChunkBytes).toString('base64')
      this.#deps.send({ kind: 'stream-data', stream, channel, data: part })
    }
  }

  async #room(signal: AbortSignal): Promise<void> {
    const { clock, bufferedBytes } = this.#deps
    const untilMs = clock.monotonicMs() + stuckMs
    while (bufferedBytes() > maxBufferedBytes) {
      if (clock.monotonicMs() > untilMs) {
        throw new EngineError('refused', 'the output was not taken fast enough')
      }
      await sleep(clock, lookAgainMs, signal)
    }
  }

  #end(stream: number, exitCode: number | null, error: string): void {
    this.#deps.send({ kind: 'stream-end', stream, exitCode, error: error.slice(0, 4096) })
  }
}
