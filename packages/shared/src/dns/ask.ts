import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'

import { frame, takeFrames } from './core/frames.ts'
import type { Transport } from './core/message.ts'

/** Sends a message to a server and resolves with the first one that comes back. Rejects when none does in time. */
export type Ask = (
  server: { readonly address: string; readonly port: number },
  transport: Transport,
  message: Buffer,
  /** False: not the answer; waits on. */
  isAnswer: (message: Buffer) => boolean,
  timeoutMs: number,
) => Promise<Buffer>

const maxAnswerBytes = 65_535

export const ask: Ask = (server, transport, message, isAnswer, timeoutMs) => {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const take = (answer: Buffer): void => {
    if (isAnswer(answer)) resolve(answer)
  }
  const close =
    transport === 'udp'
      ? askUdp(server, message, take, reject)
      : askTcp(server, message, take, reject)
  const timer = setTimeout(() => reject(new Error(`${server.address} does not answer`)), timeoutMs)
  return promise.finally(() => {
    clearTimeout(timer)
    close()
  })
}

type Server = Parameters<Ask>[0]
type Take = (answer: Buffer) => void
type Fail = (error: Error) => void

/** A socket of its own for each question: its random port is half of what keeps answers from being forged. */
function askUdp({ address, port }: Server, message: Buffer, take: Take, fail: Fail): () => void {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('error', fail)
  socket.on('message', take)
  // Connected, so that the kernel drops what comes from elsewhere and tells of a refusal at once.
  socket.connect(port, address, (error?: Error) => {
    if (error === undefined) socket.send(message)
  })
  let isClosed = false
  socket.on('close', () => (isClosed = true))
  return () => {
    if (!isClosed) socket.close()
  }
}

function askTcp({ address, port }: Server, message: Buffer, take: Take, fail: Fail): () => void {
  const socket = connect({ host: address, port, noDelay: true })
  let stream: Buffer = Buffer.alloc(0)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error(`${address} has closed the connection`)))
  socket.on('data', (data) => {
    const framed = takeFrames(Buffer.concat([stream, data]), maxAnswerBytes)
    if (framed === 'too-long') return
    stream = framed.rest
    for (const answer of framed.messages) take(answer)
  })
  socket.write(frame(message))
  return () => socket.destroy()
}
