import { BulkheadError, type FromAgentMessage, type ToAgentMessage } from '@bulkhead/shared'

export type StreamRequest = Extract<ToAgentMessage, { kind: 'stream-open' }>['request']

export interface StreamChunk {
  readonly channel: 'stdout' | 'stderr'
  readonly data: string
}
export interface StreamEnd {
  readonly exitCode: number | null
  readonly error: string
}

export interface StreamListener {
  onChunk(chunk: StreamChunk): void
  onEnd(end: StreamEnd): void
}

const maxStreams = 64

/** The open `logs`, `exec` and `stats` streams of one session. */
export class Streams {
  readonly #send: (message: ToAgentMessage) => void
  readonly #listeners = new Map<number, StreamListener>()
  #next = 1

  constructor(send: (message: ToAgentMessage) => void) {
    this.#send = send
  }

  /** Returns what closes it. Throws BulkheadError when the node has too many open. */
  open(instance: string, request: StreamRequest, listener: StreamListener): () => void {
    if (this.#listeners.size >= maxStreams) {
      throw new BulkheadError('too-many-requests', `the node already serves ${maxStreams} streams`, 'try again later')
    }
    const stream = this.#next++
    this.#listeners.set(stream, listener)
    this.#send({ kind: 'stream-open', stream, instance, request })
    return () => {
      if (this.#listeners.delete(stream)) this.#send({ kind: 'stream-close', stream })
    }
  }

  receive(message: Extract<FromAgentMessage, { kind: 'stream-data' | 'stream-end' }>): void {
    const listener = this.#listeners.get(message.stream)
    if (!listener) return
    if (message.kind === 'stream-data') {
      listener.onChunk({ channel: message.channel, data: message.data })
      return
    }
    this.#listeners.delete(message.stream)
    listener.onEnd({ exitCode: message.exitCode, error: message.error })
  }

  endAll(error: string): void {
    const listeners = [...this.#listeners.values()]
    this.#listeners.clear()
    for (const listener of listeners) listener.onEnd({ exitCode: null, error })
  }
}
