import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

import type { DnsHandler, DnsListening } from './server.ts'

/** Questions that are being answered; what comes beyond is dropped, and asked again by who asked. */
const maxPending = 1024

/** Rejects when the address cannot be bound. */
export async function listenUdp(
  address: string,
  port: number,
  handler: DnsHandler,
): Promise<DnsListening> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('error', reject)
  socket.bind({ address, port, exclusive: true }, resolve)
  try {
    await promise
  } catch (error) {
    socket.close()
    throw error
  }
  socket.off('error', reject)
  // That an answer could not be delivered (its asker has gone) is nobody's trouble.
  socket.on('error', () => {})
  answerAll(socket, handler)
  return {
    port: socket.address().port,
    close: () => new Promise((done) => socket.close(() => done())),
  }
}

function answerAll(socket: Socket, handler: DnsHandler): void {
  let pending = 0
  let isClosed = false
  socket.on('close', () => (isClosed = true))
  socket.on('message', (message, { address, port }) => {
    if (pending >= maxPending) return
    const send = (answer: Buffer | null): void => {
      if (answer !== null && !isClosed) socket.send(answer, port, address, () => {})
    }
    pending += 1
    void handler({ message, transport: 'udp', from: address })
      .then(send)
      .finally(() => (pending -= 1))
  })
}
