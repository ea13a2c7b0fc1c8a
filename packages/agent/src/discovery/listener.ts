import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { http } from '../http.ts'

/** One request, reduced to what an answer depends on. */
export interface DiscoveryRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Source address. */
  readonly from: string
}

export interface DiscoveryAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export type DiscoveryHandler = (request: DiscoveryRequest) => Promise<DiscoveryAnswer>

export interface Listening {
  readonly port: number
  close(): Promise<void>
}

/** Serves HTTP on an address of this host. Rejects with `code` EADDRINUSE when the port is taken. */
export type Listen = (
  address: string,
  port: number,
  handler: DiscoveryHandler,
) => Promise<Listening>

const limits = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 30_000,
} as const
const maxConnections = 1024

async function respond(
  response: ServerResponse,
  method: string,
  pending: Promise<DiscoveryAnswer>,
): Promise<void> {
  const { status, contentType, body } = await pending
  const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }
  response.writeHead(status, headers).end(method === 'HEAD' ? '' : body)
}

export const listenHttp: Listen = (address, port, handler) => {
  const server = http.createServer(limits, (request, response) => {
    // Nothing that is asked here has a body.
    request.resume()
    const { method = 'GET', url = '/', socket } = request
    const from = socket.remoteAddress ?? ''
    void respond(response, method, handler({ method, url, from }))
  })
  server.maxConnections = maxConnections
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port }, () => {
      server.off('error', reject)
      server.on('error', () => {})
      const bound = server.address() as AddressInfo
      const close = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done())
          server.closeAllConnections()
        })
      resolve({ port: bound.port, close })
    })
  })
}
