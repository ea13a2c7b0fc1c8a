import { maxFrameBytes } from '@bulkhead/shared'
import { WebSocket } from 'ws'

import {
  type Connection,
  type ConnectionHandlers,
  RefusedByServer,
  type Transport,
} from './transport.ts'

const handshakeMs = 10_000

/** WebSockets, with the token in the header of the handshake. */
export const wsTransport: Transport = {
  open(url: string, token: string, handlers: ConnectionHandlers): Promise<Connection> {
    const socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: handshakeMs,
      maxPayload: maxFrameBytes,
      // Frames are small and the link is near: compressing costs more than it saves.
      perMessageDeflate: false,
    })
    return new Promise((resolve, reject) => {
      let reason = ''
      socket.on('error', (error) => {
        reason = error.message
        reject(error)
      })
      socket.on('unexpected-response', (_, response) => {
        const status = response.statusCode ?? 0
        const text = `the server answered with HTTP ${status}`
        reject(status === 401 || status === 403 ? new RefusedByServer(text) : new Error(text))
        socket.terminate()
      })
      socket.on('open', () => {
        socket.on('close', (code, text) =>
          handlers.onClose(reason || `${code} ${String(text)}`.trim()),
        )
        resolve({
          send: (data) => socket.send(data),
          get bufferedBytes() {
            return socket.bufferedAmount
          },
          close: () => socket.terminate(),
        })
      })
      // Registered before `open`, as the first message can come in the same packet.
      socket.on('message', (data: Buffer, isBinary) => {
        if (!isBinary) handlers.onMessage(data.toString('utf8'))
      })
    })
  },
}

/** `http://…` or `https://…` of the server to the URL of the session. */
export function sessionUrl(server: string): string {
  const url = new URL('/v1/agent/session', server)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}
