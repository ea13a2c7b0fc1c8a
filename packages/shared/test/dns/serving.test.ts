import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'

import { Packet } from 'dns2'
import t from 'tap'

import { ask } from '../../src/dns/ask.ts'
import { frame } from '../../src/dns/core/frames.ts'
import { listenDns } from '../../src/dns/listen.ts'
import { makeResponder } from '../../src/dns/responder.ts'
import type { DnsHandler } from '../../src/dns/server.ts'
import { endpoint, namesOf, question, table } from './support.ts'

const endpoints = Array.from({ length: 100 }, (_, index) => endpoint(index))
const names = namesOf([table('prod/api'), table('prod/big', { endpoints })])
const responder = makeResponder({
  asker: () => ({ names, forwards: false, kept: null }),
  forwarder: null,
  onError: (error) => t.fail(String(error)),
})
const everything = (): boolean => true

async function serve(handler: DnsHandler = responder) {
  const server = await listenDns('127.0.0.1', 0, handler)
  const at = { address: '127.0.0.1', port: server.port }
  return { server, at, [Symbol.asyncDispose]: () => server.close() }
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('close', () => resolve())
    socket.on('error', () => {})
  })

t.test('the same over UDP and TCP, and cut where it is too long', async (t) => {
  await using served = await serve()
  for (const transport of ['udp', 'tcp'] as const) {
    const reply = await ask(
      served.at,
      transport,
      question('api.prod.bulkhead', 'A'),
      everything,
      5000,
    )
    t.equal(Packet.parse(reply).answers.length, 2, transport)
  }
  const big = question('big.prod.bulkhead', 'A')
  const cut = Packet.parse(await ask(served.at, 'udp', big, everything, 5000))
  t.match(cut, { header: { tc: 1 }, answers: [] })
  const whole = Packet.parse(await ask(served.at, 'tcp', big, everything, 5000))
  t.match([whole.header.tc, whole.answers.length], [0, 100])
})

t.test('a port that is taken is told of', async (t) => {
  await using served = await serve()
  await t.rejects(listenDns('127.0.0.1', served.at.port, responder), { code: 'EADDRINUSE' })
})

t.test('one connection asks many times, and closes its half at once', async (t) => {
  await using served = await serve()
  const socket = connect(served.at.port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (data: Buffer) => chunks.push(data))
  const all = Array.from({ length: 50 }, (_, id) =>
    frame(question('api.prod.bulkhead', 'A', { id })),
  )
  socket.end(Buffer.concat(all))
  await closed(socket)
  const stream = Buffer.concat(chunks)
  const ids: number[] = []
  for (let at = 0; at < stream.length; at += 2 + stream.readUInt16BE(at))
    ids.push(stream.readUInt16BE(at + 2))
  t.same(
    ids,
    Array.from({ length: 50 }, (_, id) => id),
  )
})

t.test('questions that are too long, and what is none', async (t) => {
  await using served = await serve()
  const long = connect(served.at.port, '127.0.0.1')
  long.write(Buffer.from([0xff, 0xff, 1, 2, 3]))
  await closed(long)
  const silent = createSocket('udp4')
  silent.send(Buffer.from('x'), served.at.port, '127.0.0.1')
  silent.send(Buffer.alloc(0), served.at.port, '127.0.0.1')
  const reply = await ask(served.at, 'udp', question('api.prod.bulkhead', 'A'), everything, 5000)
  t.equal(Packet.parse(reply).header.rcode, 0, 'it serves on')
  silent.close()
})

t.test('one address has so many connections and no more', async (t) => {
  await using served = await serve()
  const sockets = Array.from({ length: 20 }, () => connect(served.at.port, '127.0.0.1'))
  const refused = sockets.map((socket) => closed(socket).then(() => true))
  const wait = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500))
  const outcomes = await Promise.all(refused.map((one) => Promise.race([one, wait])))
  t.equal(outcomes.filter(Boolean).length, 4)
  for (const socket of sockets) socket.destroy()
})

t.test('what is asked while too much is unanswered waits, and nothing is lost', async (t) => {
  let most = 0
  let pending = 0
  await using served = await serve(async ({ message }) => {
    pending += 1
    most = Math.max(most, pending)
    await new Promise((resolve) => setTimeout(resolve, 5))
    pending -= 1
    return message
  })
  const socket = connect(served.at.port, '127.0.0.1')
  let bytes = 0
  socket.on('data', (data: Buffer) => (bytes += data.length))
  const one = frame(question('api.prod.bulkhead', 'A'))
  socket.end(Buffer.concat(Array.from({ length: 100 }, () => one)))
  await closed(socket)
  t.equal(bytes, 100 * one.length)
  t.equal(most, 16)
})

t.test('a fault answers nobody and ends nothing', async (t) => {
  const errors: unknown[] = []
  let isBroken = true
  await using served = await serve(
    makeResponder({
      asker: async () => {
        if (isBroken) throw new Error('broken')
        return { names, forwards: false, kept: null }
      },
      forwarder: null,
      onError: (error) => errors.push(error),
    }),
  )
  await t.rejects(ask(served.at, 'udp', question('api.prod.bulkhead', 'A'), everything, 200))
  t.equal(errors.length, 1)
  isBroken = false
  t.ok(await ask(served.at, 'udp', question('api.prod.bulkhead', 'A'), everything, 5000))
})
