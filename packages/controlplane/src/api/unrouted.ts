import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

import { BulkheadError } from '@bulkhead/shared'
import type { ConnectionError } from 'fastify'

import { problemOf } from './errors.ts'

/** Refusals of what never becomes a request of the framework: bytes that are no HTTP, upgrades, expectations. */

const reasons: Readonly<Record<string, BulkheadError>> = {
  HPE_HEADER_OVERFLOW: new BulkheadError('too-large', 'the headers are larger than is accepted', 'send fewer or shorter ones'),
  ERR_HTTP_REQUEST_TIMEOUT: new BulkheadError('bad-request', 'the request did not arrive in time', 'send it at once'),
}
const notHttp = new BulkheadError('bad-request', 'this is not HTTP as the server understands it', 'see /v1/openapi.json')

interface Refusal {
  readonly status: number
  readonly title: string
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
}

function refusalOf(error: BulkheadError): Refusal {
  const problem = problemOf(error)
  const body = JSON.stringify(problem)
  const headers = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  return { status: problem.status, title: problem.title, headers, body }
}

/** Answers on a connection that no response belongs to, and ends it. */
export function refuseSocket(socket: Duplex, error: BulkheadError): void {
  // Nobody else listens on it any more, and an error that nobody listens for ends the process.
  socket.on('error', () => socket.destroy())
  const { status, title, headers, body } = refusalOf(error)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`)
}

export function refuseMalformed(error: ConnectionError, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (!socket.writable) {
    socket.destroy()
    return
  }
  refuseSocket(socket, reasons[error.code] ?? notHttp)
  // What else it sends is not read, so that it cannot keep the connection.
  socket.once('finish', () => socket.destroy())
}

export function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const wanted = String(request.headers.expect).slice(0, 40)
  const { status, headers, body } = refusalOf(
    new BulkheadError('bad-request', `the expectation ${wanted} is not understood`, 'send no Expect header'),
  )
  response.writeHead(status, headers).end(body)
}
