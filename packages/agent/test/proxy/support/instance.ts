import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { WebSocketServer } from 'ws'

import type { Server } from '../../../src/proxy/core/config.ts'

/** Something that serves HTTP as containers do. */
export interface Instance {
  readonly server: Server
  /** Requests that have come, WebSockets included. */
  readonly requests: number
  connections(): Promise<number>
  /** Ends as a well-behaved program does on SIGTERM; resolves with how many connections were cut. */
  stop(): Promise<number>
  kill(): void
}

export async function startInstance(name: string): Promise<Instance> {
  let requests = 0
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    requests += 1
    void respond(name, request, response)
  })
  const webSockets = new WebSocketServer({ server })
  webSockets.on('connection', (socket) => {
    requests += 1
    socket.on('message', (data) => socket.send(data))
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    server: { name, address: '127.0.0.1', port, weight: 100 },
    get requests() {
      return requests
    },
    connections: () =>
      new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
    async stop() {
      for (const socket of webSockets.clients) socket.close(1001)
      const deadline = performance.now() + 3000
      while (sockets.size > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      const cut = sockets.size
      for (const socket of sockets) socket.destroy()
      server.close()
      return cut
    },
    kill() {
      server.close()
      for (const socket of sockets) socket.resetAndDestroy()
    },
  }
}

/** `/slow?ms=N` answers late, `/large?bytes=N` at length, `/break` not at all; a body is answered with its hash. */
async function respond(
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://instance')
  if (pathname === '/break') {
    request.socket.destroy()
    return
  }
  response.setHeader('x-instance', name)
  response.setHeader('x-seen-for', request.headers['x-forwarded-for'] ?? '')
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk)
    length += chunk.length
  }
  if (pathname === '/slow') {
    response.write('be')
    await new Promise((resolve) => setTimeout(resolve, Number(searchParams.get('ms'))))
    response.end('gun')
  } else if (pathname === '/large') {
    response.end(Buffer.alloc(Number(searchParams.get('bytes')), 'x'))
  } else response.end(length === 0 ? name : hash.digest('hex'))
}
