import fc from 'fast-check'

import { systemClock } from '../../../packages/shared/src/clock.ts'
import { takeFrames } from '../../../packages/shared/src/dns/core/frames.ts'
import { parseMessage } from '../../../packages/shared/src/dns/core/message.ts'
import { isAnswerTo, withId } from '../../../packages/shared/src/dns/core/relay.ts'
import { parseResolvConf } from '../../../packages/shared/src/dns/core/resolv-conf.ts'
import { respond } from '../../../packages/shared/src/dns/core/respond.ts'
import { Forwarder } from '../../../packages/shared/src/dns/forwarder.ts'
import {
  answerWith,
  datagrams,
  endpoint,
  http,
  namesOf,
  question,
  services,
  table,
} from '../../../packages/shared/test/dns/support.ts'
import { mutate } from '../data/mutate-bytes.ts'
import { expect, pureTarget, type Target, within } from '../run/target.ts'

const headerBytes = 12
/** What one message may take, however it is made. */
const messageMs = 2000

const names = namesOf(
  [
    table('prod/api'),
    table('prod/clock', { ports: { time: datagrams }, endpoints: [endpoint(4, { port: 'time' })] }),
    table('prod/big', {
      ports: { http },
      endpoints: Array.from({ length: 300 }, (_, index) => endpoint(index)),
    }),
  ],
  services,
)

const label = fc.oneof(
  fc.constantFrom(
    'api',
    'clock',
    'big',
    'prod',
    'test',
    '_http',
    '_tcp',
    '_udp',
    '_time',
    'api-0-abcdefgh',
    'bulkhead',
  ),
  fc
    .string({ unit: 'binary', maxLength: 20 })
    .map((text) => text.replaceAll(/[^\0-\xff]|\./g, 'x')),
)
const name = fc
  .tuple(
    fc.array(label, { maxLength: 6 }),
    fc.constantFrom('.prod.bulkhead', '.bulkhead', '', '.com'),
  )
  .map(([labels, end]) => `${labels.join('.')}${end}`)
  .filter((text) => text.length < 250)
const type = fc.oneof(fc.constantFrom(1, 28, 33, 6, 255, 41, 252, 16), fc.nat(65_535))

/** A question that is one, mostly. */
const asked = fc
  .record({
    name,
    type,
    edns: fc.option(fc.nat(65_535)),
    class: fc.constantFrom(1, 1, 1, 3, 255, 0),
    opcode: fc.constantFrom(0, 0, 0, 1, 5),
    version: fc.constantFrom(0, 0, 1),
    id: fc.nat(65_535),
  })
  .map(({ name, type, ...more }) => question(name, type, more))

const broken = fc.oneof(
  fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
  asked,
  fc.tuple(asked, mutate).map(([message, change]) => change(message)),
  // A header that is well formed, and then anything.
  fc
    .tuple(fc.uint8Array({ maxLength: 600 }), fc.nat(3), fc.nat(65_535))
    .map(([rest, counts, id]) => {
      const message = Buffer.concat([Buffer.alloc(headerBytes), Buffer.from(rest)])
      message.writeUInt16BE(id)
      for (let at = 4; at < headerBytes; at += 2) message.writeUInt16BE(counts, at)
      return message
    }),
)

/** As many records as fit, each with a name that leads through the whole of a chain of pointers. */
const winding = fc.tuple(fc.nat(2000), fc.constantFrom(0, 1, 2, 5, 300)).map(([links, records]) => {
  const chain = Buffer.alloc(links * 2)
  for (let link = 1; link < links; link++)
    chain.writeUInt16BE(0xc000 | (headerBytes + 2 * link - 2), 2 * link)
  const last = headerBytes + Math.max(2 * links - 2, 0)
  const record = Buffer.from([0xc0 | (last >> 8), last & 0xff, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])
  const header = Buffer.alloc(headerBytes)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records, 10)
  return Buffer.concat([header, chain, ...Array.from({ length: records }, () => record)])
})

const transports = fc.constantFrom('udp', 'tcp')

function checkAnswer(message: Buffer, transport: 'udp' | 'tcp', forwards: boolean): void {
  const outcome = within(messageMs, 'a message', () =>
    respond(message, transport, { names, forwards }),
  )
  if (outcome.kind === 'silence') {
    const isQuestion =
      message.length >= headerBytes && ((message[2] ?? 0) & 0x80) === 0 && message.length <= 4096
    expect(!isQuestion, 'a question went without an answer')
    return
  }
  const answer = outcome.kind === 'answer' ? outcome.message : outcome.failed
  expect(outcome.kind === 'answer' || forwards, 'forwarded for one who may not')
  expect(answer.readUInt16BE(0) === message.readUInt16BE(0), 'another id')
  expect(((answer[2] ?? 0) & 0x80) !== 0, 'an answer that is a question')
  expect(
    answer.length <= (transport === 'udp' ? 1232 : 65_535),
    `${answer.length} bytes over ${transport}`,
  )
  expect(transport === 'tcp' || answer.length < 20 * Math.max(message.length, 64), 'an amplifier')
  const again = respond(answer, transport, { names, forwards })
  expect(again.kind === 'silence', 'an answer was answered')
}

/** What strangers' datagrams and streams reach of the name servers. */
export async function openDns(): Promise<Target> {
  return pureTarget('dns', [
    {
      name: 'questions',
      runs: 2000,
      property: fc.property(
        fc.oneof({ arbitrary: broken, weight: 9 }, winding),
        transports,
        fc.boolean(),
        checkAnswer,
      ),
    },
    {
      name: 'answers of other servers',
      runs: 500,
      property: fc.asyncProperty(asked, broken, transports, async (message, answer, transport) => {
        const parsed = parseMessage(message)
        if (parsed.kind !== 'query') return
        const forwarder = new Forwarder({
          clock: systemClock,
          random: () => 0.5,
          resolvers: async () => ({ servers: ['192.0.2.1'], timeoutMs: 1, attempts: 1 }),
          // The right id, as somebody who has guessed it would have.
          ask: async (_server, _transport, sent, isAnswer) => {
            const forged = answer.length < 2 ? answer : withId(answer, sent.readUInt16BE())
            if (!isAnswer(forged)) throw new Error('not the answer')
            return forged
          },
        })
        const relayed = await forwarder.forward(message, parsed.query, transport, 'x')
        if (relayed === null) return
        expect(relayed.readUInt16BE(0) === parsed.query.id, 'another id')
        expect(transport === 'tcp' || relayed.length <= 1232, 'too long for a datagram')
      }),
    },
    {
      name: 'true answers pass',
      runs: 200,
      property: fc.property(name, fc.nat(65_535), (asks, id) => {
        const message = question(asks, 1, { id })
        expect(
          isAnswerTo(message, answerWith(message, '192.0.2.1').bytes),
          'a true answer was refused',
        )
      }),
    },
    {
      name: 'streams',
      runs: 500,
      property: fc.property(fc.uint8Array({ maxLength: 4000 }), fc.nat(4096), (bytes, limit) => {
        const framed = takeFrames(Buffer.from(bytes), limit)
        if (framed === 'too-long') return
        const taken = framed.messages.reduce((sum, message) => sum + message.length + 2, 0)
        expect(taken + framed.rest.length === bytes.length, 'bytes were lost')
        expect(framed.rest.length < limit + 2, 'more is kept than one message')
      }),
    },
    {
      name: 'resolv.conf',
      runs: 300,
      property: fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        const { servers, timeoutMs, attempts } = parseResolvConf(
          `${text}\nnameserver 10.0.0.1`,
          new Set(),
        )
        expect(servers.length <= 3 && timeoutMs > 0 && attempts > 0, 'not bounded')
      }),
    },
  ])
}
