import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Packet } from 'dns2'
import t from 'tap'

import { systemClock } from '../../src/clock.ts'
import { ask } from '../../src/dns/ask.ts'
import { parseMessage } from '../../src/dns/core/message.ts'
import { isAnswerTo } from '../../src/dns/core/relay.ts'
import { parseResolvConf } from '../../src/dns/core/resolv-conf.ts'
import { Forwarder } from '../../src/dns/forwarder.ts'
import { hostResolvers } from '../../src/dns/host-resolvers.ts'
import { listenDns } from '../../src/dns/listen.ts'
import { makeResponder } from '../../src/dns/responder.ts'
import type { DnsHandler } from '../../src/dns/server.ts'
import { type Asked, namesOf, question } from './support.ts'

const clock = systemClock

/** Answers with so many addresses. */
const upstream =
  (count: number, change: (answer: Packet) => void = () => {}): DnsHandler =>
  async ({ message }) => {
    const answer = Packet.createResponseFromRequest(Packet.parse(message))
    answer.header.ra = 1
    for (let index = 0; index < count; index++) {
      const { name } = answer.questions[0] ?? { name: '' }
      answer.answers.push(
        new Packet.Resource({ name, type: 1, class: 1, ttl: 60, address: '192.0.2.1' }),
      )
    }
    change(answer)
    return answer.toBuffer()
  }

const renamed = (name: string) => (answer: Packet) => {
  answer.questions = [new Packet.Question({ name, type: 1, class: 1 })]
}

interface Options {
  readonly servers?: readonly string[]
  readonly timeoutMs?: number
}

async function world(
  handler: DnsHandler,
  { servers = ['127.0.0.1'], timeoutMs = 300 }: Options = {},
) {
  const up = await listenDns('127.0.0.1', 0, handler)
  const resolvers = async () => ({ servers, timeoutMs, attempts: 2 })
  const forwarder = new Forwarder({ clock, resolvers, ask, random: Math.random, port: up.port })
  const responder = makeResponder({
    asker: () => ({ names: namesOf([]), forwards: true, kept: null }),
    forwarder,
    onError: (error) => t.fail(String(error)),
  })
  const down = await listenDns('127.0.0.1', 0, responder)
  const lookUp = async (name: string, asked: Asked = {}, transport: 'udp' | 'tcp' = 'udp') => {
    const message = question(name, 'A', asked)
    const at = { address: '127.0.0.1', port: down.port }
    return Packet.parse(
      await ask(at, transport, message, (answer) => isAnswerTo(message, answer), 5000),
    )
  }
  const dispose = async (): Promise<void> => void (await Promise.all([up.close(), down.close()]))
  return { lookUp, forwarder, [Symbol.asyncDispose]: dispose }
}

t.test('names of others are looked up', async (t) => {
  const seen: number[] = []
  await using there = await world(async (request) => {
    seen.push(request.message.readUInt16BE())
    return upstream(1)(request)
  })
  for (const transport of ['udp', 'tcp'] as const) {
    const answer = await there.lookUp('eXample.com', { id: 99 }, transport)
    t.match(answer, {
      header: { id: 99, rcode: 0, ra: 1, aa: 0 },
      answers: [{ address: '192.0.2.1' }],
    })
  }
  t.not(seen[0], 99, 'under an id of our own')
})

t.test('an answer that is longer than the asker takes is cut', async (t) => {
  await using there = await world(upstream(60))
  t.match(await there.lookUp('example.com', { edns: null }), {
    header: { tc: 1, rcode: 0 },
    answers: [],
  })
  t.equal((await there.lookUp('example.com', { edns: null }, 'tcp')).answers.length, 60)
})

t.test('nobody there, nobody answers, or something else answers', async (t) => {
  const started = performance.now()
  await using silent = await world(async () => null)
  t.match(await silent.lookUp('example.com'), { header: { rcode: 2, ra: 1 } })
  t.ok(performance.now() - started >= 600, 'two tries')
  const other = upstream(1, renamed('evil.com'))
  await using lying = await world(other)
  t.match(await lying.lookUp('example.com'), { header: { rcode: 2 }, answers: [] })
  const recased = upstream(1, renamed('example.com'))
  await using careless = await world(recased)
  t.match(
    await careless.lookUp('exAmple.com'),
    { header: { rcode: 2 } },
    'the spelling is part of the question',
  )
  await using none = await world(upstream(1), { servers: [] })
  t.match(await none.lookUp('example.com'), { header: { rcode: 2 } })
})

t.test('the next server is asked when the first is not there', async (t) => {
  await using there = await world(upstream(1), { servers: ['127.0.0.2', '127.0.0.1'] })
  t.match(await there.lookUp('example.com'), { answers: [{ address: '192.0.2.1' }] })
})

t.test('so much at a time, of all and of each', async (t) => {
  await using there = await world(async () => null, { timeoutMs: 200 })
  const message = question('example.com', 'A')
  const parsed = parseMessage(message)
  if (parsed.kind !== 'query') throw new Error(parsed.kind)
  const { query } = parsed
  const started = performance.now()
  const quick = async (from: string): Promise<boolean> => {
    await there.forwarder.forward(message, query, 'udp', from)
    return performance.now() - started < 150
  }
  const own = await Promise.all(Array.from({ length: 70 }, () => quick('10.0.0.1')))
  t.equal(own.filter(Boolean).length, 6)
  const again = performance.now()
  await there.forwarder.forward(message, query, 'udp', '10.0.0.1')
  t.ok(performance.now() - again > 150, 'there is room again')
})

t.test('resolv.conf', async (t) => {
  const text = `# nameserver 9.9.9.9
search example.gov
nameserver 10.0.0.1 ; the first
nameserver 10.0.0.2
nameserver fd00::1
nameserver 10.0.0.3
nameserver
options timeout:1 attempts:99 rotate ndots:x`
  t.same(parseResolvConf(text, new Set(['10.0.0.2'])), {
    servers: ['10.0.0.1', 'fd00::1', '10.0.0.3'],
    timeoutMs: 1000,
    attempts: 5,
  })
  t.same(parseResolvConf('', new Set()), { servers: [], timeoutMs: 5000, attempts: 2 })
})

t.test('the resolvers of the host, whatever becomes of the file', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'bulkhead-dns-'))
  const file = join(directory, 'resolv.conf')
  let nowMs = 0
  const slow = { ...clock, monotonicMs: () => (nowMs += 2000) }
  const resolvers = hostResolvers(slow, () => new Set(), file)
  const servers = async () => (await resolvers()).servers
  t.same(await servers(), [])
  await writeFile(file, 'nameserver 10.0.0.1')
  t.same(await servers(), ['10.0.0.1'])
  await writeFile(`${file}.new`, 'nameserver 10.0.0.2')
  await rename(`${file}.new`, file)
  t.same(await servers(), ['10.0.0.2'])
  const fresh = hostResolvers(clock, () => new Set(), file)
  const [one, other] = await Promise.all([fresh(), fresh()])
  t.same([one.servers, other.servers], [['10.0.0.2'], ['10.0.0.2']], 'the first two at once')
  await rm(directory, { recursive: true })
  t.same(await servers(), ['10.0.0.2'])
})
