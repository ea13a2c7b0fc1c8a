import { createServer, type Socket } from 'node:net'

import { type Framed, frame, takeFrames } from './core/frames.ts'
import { maxQuestionBytes } from './core/message.ts'
import type { DnsHandler, DnsListening } from './server.ts'

const limits = {
  connections: 256,
  /** Of one source address. */
  connectionsEach: 16,
  /** Without a whole question, or without reading the answers. */
  idleMs: 10_000,
  /** Of one connection, unanswered at a time. */
  pending: 16,
  /** Of answers that its other end does not read. */
  unreadBytes: 256 * 1024,
  /** When the server ends, for the answers that it owes. */
  lingerMs: 1000,
} as const

/** Rejects when the address cannot be bound. */
export async function listenTcp(
  address: string,
  port: number,
  handler: DnsHandler,
  reusePort: boolean,
): Promise<DnsListening> {
  const sockets = new Map<Socket, Connection>()
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const from = socket.remoteAddress ?? ''
    const others = [...sockets.values()].filter((other) => other.from === from)
    if (from === '' || others.length >= limits.connectionsEach) {
      socket.destroy()
      return
    }
    const connection = new Connection(socket, from, handler)
    sockets.set(socket, connection)
    socket.once('close', () => sockets.delete(socket))
    connection.start()
  })
  server.maxConnections = limits.connections
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host: address, port, exclusive: true, reusePort }, resolve)
  await promise
  server.off('error', reject)
  server.on('error', () => {})
  const bound = server.address()
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : port,
    close: () => {
      const { promise: closed, resolve: done } = Promise.withResolvers<void>()
      const late = setTimeout(() => {
        for (const socket of sockets.keys()) socket.destroy()
      }, limits.lingerMs)
      server.close(() => {
        clearTimeout(late)
        done()
      })
      for (const connection of sockets.values()) connection.finish()
      return closed
    },
  }
}

/** One connection: questions one after another, answers in the order in which they are known. */
class Connection {
  readonly from: string
  readonly #socket: Socket
  readonly #handler: DnsHandler
  #rest: Buffer = Buffer.alloc(0)
  #waiting: readonly Buffer[] = []
  #pending = 0
  #hasEnded = false

  constructor(socket: Socket, from: string, handler: DnsHandler) {
    this.#socket = socket
    this.from = from
    this.#handler = handler
  }

  start(): void {
    const socket = this.#socket
    socket.setTimeout(limits.idleMs, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => this.#take(data))
    socket.on('end', () => this.finish())
  }

  /** Answers what was asked, and ends. */
  finish(): void {
    this.#hasEnded = true
    this.#endWhenDone()
  }

  #take(data: Buffer): void {
    const framed: Framed = takeFrames(Buffer.concat([this.#rest, data]), maxQuestionBytes)
    if (framed === 'too-long') {
      this.#socket.destroy()
      return
    }
    this.#rest = framed.rest
    this.#waiting = [...this.#waiting, ...framed.messages]
    this.#work()
  }

  #work(): void {
    while (this.#pending < limits.pending) {
      const [message, ...others] = this.#waiting
      if (message === undefined) break
      this.#waiting = others
      this.#pending += 1
      void this.#answer(message)
    }
    if (this.#waiting.length > 0) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  async #answer(message: Buffer): Promise<void> {
    const answer = await this.#handler({ message, transport: 'tcp', from: this.from })
    this.#pending -= 1
    if (this.#socket.destroyed) return
    if (answer !== null) this.#socket.write(frame(answer))
    if (this.#socket.writableLength > limits.unreadBytes) {
      this.#socket.destroy()
      return
    }
    this.#work()
    this.#endWhenDone()
  }

  #endWhenDone(): void {
    if (this.#hasEnded && this.#pending === 0 && this.#waiting.length === 0)
      this.#socket.destroySoon()
  }
}
