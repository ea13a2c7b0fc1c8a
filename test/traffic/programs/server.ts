import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

import { WebSocketServer } from 'ws'

/*
 * What is upgraded under load: says its version to requests of every kind, and on SIGTERM finishes what it has begun.
 * PORT and VERSION come from the environment; with ERROR_PERCENT so many answers are 500. SIGUSR2 makes its probes
 * fail, and well again.
 */

const { PORT = '8080', VERSION = '0', ERROR_PERCENT = '0', BULKHEAD_INSTANCE = '' } = process.env
const errorShare = Number(ERROR_PERCENT) / 100
const endWithinMs = 20_000
const goingAway = 1001
let isStopping = false
let isWell = true

function answer(response: ServerResponse, status: number, body: Buffer | string): void {
  const headers: Record<string, string> = { 'x-version': VERSION, 'x-instance': BULKHEAD_INSTANCE }
  if (isStopping) headers['connection'] = 'close'
  response.writeHead(status, headers).end(body)
}

async function lengthOf(request: IncomingMessage): Promise<number> {
  let length = 0
  for await (const chunk of request) length += (chunk as Buffer).length
  return length
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server')
  if (pathname === '/healthz') return answer(response, isWell ? 200 : 503, `${isWell}\n`)
  if (request.method === 'POST') return answer(response, 200, String(await lengthOf(request)))
  if (Math.random() < errorShare) return answer(response, 500, 'it is broken on purpose\n')
  if (pathname === '/slow') {
    await new Promise((resolve) => setTimeout(resolve, Number(searchParams.get('ms') ?? 1000)))
  }
  const bytes = Number(searchParams.get('bytes') ?? 0)
  answer(response, 200, bytes > 0 ? Buffer.alloc(bytes, 'x') : `${VERSION}\n`)
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => response.destroy())
})
// Whoever pools connections to this server is to be the one who closes them.
server.keepAliveTimeout = 120_000
const sockets = new WebSocketServer({ server, path: '/ws' })
sockets.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(`${VERSION} ${Buffer.isBuffer(data) ? data.toString() : ''}`))
  socket.on('error', () => {})
  if (isStopping) socket.close(goingAway)
})

process.on('SIGUSR2', () => {
  isWell = !isWell
})
process.on('SIGTERM', () => {
  isStopping = true
  setTimeout(() => process.exit(1), endWithinMs).unref()
  for (const socket of sockets.clients) socket.close(goingAway)
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
server.listen(Number(PORT))
