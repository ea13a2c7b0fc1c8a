import { rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'

import { changedBy } from '../core/name-change.ts'
import { emptyDirectory } from '../core/name-state.ts'
import type { NameServer } from '../name-server.ts'
import type { Served } from '../name-serving.ts'
import { encode, Lines, type NamesMessage, type ServeMessage } from './protocol.ts'

/** Where the process hears from agents. */
export class Control {
  readonly #program: string
  readonly #names: NameServer
  readonly #connections = new Set<Socket>()
  #tail: Promise<void> = Promise.resolve()

  constructor(program: string, names: NameServer) {
    this.#program = program
    this.#names = names
  }

  async listen(path: string): Promise<void> {
    await rm(path, { force: true })
    const server = createServer((socket) => this.#accept(socket))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(path, resolve)
    await promise
  }

  tell(served: Served): void {
    for (const socket of this.#connections) say(socket, { kind: 'served', sequence: null, served })
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket)
    const lines = new Lines()
    socket.setEncoding('utf8')
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#connections.delete(socket))
    socket.on('data', (text: string) => {
      for (const line of lines.take(text)) {
        // One at a time, as each builds on the one before.
        this.#tail = this.#tail.then(() => this.#serve(socket, JSON.parse(line) as ServeMessage))
      }
    })
    say(socket, { kind: 'hello', program: this.#program })
  }

  async #serve(socket: Socket, { sequence, change }: ServeMessage): Promise<void> {
    const before = this.#names.state.directory ?? emptyDirectory
    const served = await this.#names.serve(changedBy(before, change))
    say(socket, { kind: 'served', sequence, served })
  }
}

function say(socket: Socket, message: NamesMessage): void {
  if (!socket.destroyed) socket.write(encode(message))
}
