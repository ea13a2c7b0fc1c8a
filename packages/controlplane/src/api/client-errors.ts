import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

import { BulkheadError } from '@bulkhead/shared'

import { problemOf } from './errors.ts'

/** Answers what never became a request, in the same form as everything else. */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const refused =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new BulkheadError(
          'too-large',
          'path and headers are longer than is accepted',
          'see /v1/openapi.json',
        )
      : new BulkheadError(
          'bad-request',
          'this is not a well formed HTTP request',
          'see /v1/openapi.json',
        )
  const problem = problemOf(refused)
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
