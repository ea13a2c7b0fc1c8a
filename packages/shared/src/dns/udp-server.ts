import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import type { DnsHandler, DnsListening } from './server.ts'

/** Questions that are being answered; what comes beyond is dropped, and asked again by who asked. */
const maxPending = 1024
/** An end waits for a moment in which no answer is owed, but no longer than this. */
const lingerMs = 1000
const lingerStepMs = 5

/** Rejects when the address cannot be bound. */
export async function listenUdp(
  address: string,
  port: number,
  handler: DnsHandler,
  reusePort: boolean,
): Promise<DnsListening> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reusePort })
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
  const owed = answerAll(socket, handler)
  return {
    port: socket.address().port,
    close: async () => {
      for (let ms = 0; owed() > 0 && ms < lingerMs; ms += lingerStepMs) await delay(lingerStepMs)
      await new Promise<void>((done) => socket.close(done))
    },
  }
}

/** Returns how many answers are owed. */
function answerAll(socket: Socket, handler: DnsHandler): () => number {
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
  return () => pending
}
