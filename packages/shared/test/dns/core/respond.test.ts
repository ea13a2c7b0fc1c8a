import { Packet } from 'dns2'
import t from 'tap'

import { respond } from '../../../src/dns/core/respond.ts'
import type { VisibleNames } from '../../../src/dns/core/zone.ts'
import {
  type Asked,
  datagrams,
  endpoint,
  http,
  namesOf,
  question,
  services,
  table,
} from '../support.ts'

const api = table('prod/api')
const everything = namesOf([
  api,
  table('prod/idle', { endpoints: [] }),
  table('prod/clock', { ports: { time: datagrams }, endpoints: [endpoint(4, { port: 'time' })] }),
  table('prod/big', { endpoints: Array.from({ length: 200 }, (_, index) => endpoint(index)) }),
])
const proxied: VisibleNames = { ...everything, addresses: services }

interface Reply {
  readonly code: number
  readonly aa: number
  readonly tc: number
  readonly ra: number
  readonly answers: readonly string[]
  readonly authorities: readonly number[]
  readonly additionals: readonly string[]
  readonly ttl: number | undefined
  readonly bytes: number
}

const shown = (record: Packet['answers'][number]): string =>
  record.type === Packet.TYPE.SRV
    ? `SRV ${record.weight} ${record.port} ${record.target}`
    : `${Packet.TYPE_NAME[record.type]} ${record.name} ${record.address ?? record.primary}`

function ask(
  names: VisibleNames | null,
  name: string,
  type: Parameters<typeof question>[1],
  asked: Asked & { transport?: 'udp' | 'tcp'; forwards?: boolean } = {},
): Reply | string {
  const { transport = 'udp', forwards = false, ...rest } = asked
  const outcome = respond(question(name, type, rest), transport, { names, forwards })
  if (outcome.kind !== 'answer') return outcome.kind
  const packet = Packet.parse(outcome.message)
  const { header, answers, authorities } = packet
  const additionals = packet.additionals.filter((record) => record.type !== Packet.TYPE.EDNS)
  return {
    code: header.rcode,
    aa: header.aa,
    tc: header.tc,
    ra: header.ra,
    answers: answers.map(shown),
    authorities: authorities.map((record) => record.type),
    additionals: additionals.map(shown),
    ttl: (answers[0] ?? authorities[0])?.ttl,
    bytes: outcome.message.length,
  }
}

const soa = [Packet.TYPE.SOA]

t.test('addresses', async (t) => {
  t.match(ask(proxied, 'api.prod.bulkhead', 'A'), {
    code: 0,
    aa: 1,
    ra: 0,
    answers: ['A api.prod.bulkhead 10.231.1.2'],
    authorities: [],
    ttl: 5,
  })
  t.match(ask(proxied, 'api.prod.bulkhead', 'AAAA'), {
    answers: ['AAAA api.prod.bulkhead fd62:756c:6b00::ae7:102'],
  })
  const without6 = { ...everything, addresses: { ...services, services6: null } }
  t.match(ask(without6, 'api.prod.bulkhead', 'AAAA'), { code: 0, answers: [], authorities: soa })
  const both = ['A api.prod.bulkhead 10.99.0.1', 'A api.prod.bulkhead 10.99.0.2']
  t.match(ask(everything, 'api.prod.bulkhead', 'A', { id: 2 }), { answers: both, ttl: 1 })
  t.match(ask(everything, 'api.prod.bulkhead', 'A', { id: 10 }), { answers: both.toReversed() })
  t.match(ask(everything, 'api.prod.bulkhead', 'AAAA'), { code: 0, answers: [], authorities: soa })
  t.match(ask(proxied, 'idle.prod.bulkhead', 'A'), { answers: ['A idle.prod.bulkhead 10.231.1.2'] })
  t.match(ask(everything, 'idle.prod.bulkhead', 'A'), { code: 0, answers: [], authorities: soa })
  // Datagrams are not proxied.
  t.match(ask(proxied, 'clock.prod.bulkhead', 'A'), {
    answers: ['A clock.prod.bulkhead 10.99.0.5'],
  })
  t.match(ask(everything, 'api-1-abcdefgh.api.prod.bulkhead', 'A'), {
    answers: ['A api-1-abcdefgh.api.prod.bulkhead 10.99.0.2'],
  })
  const six = namesOf([
    table('prod/api', { endpoints: [endpoint(0, { address: 'fd00::1' }), endpoint(1)] }),
  ])
  t.match(ask(six, 'api.prod.bulkhead', 'AAAA'), { answers: ['AAAA api.prod.bulkhead fd00::1'] })
  t.match(ask(six, 'api.prod.bulkhead', 'A'), { answers: ['A api.prod.bulkhead 10.99.0.2'] })
})

t.test('what takes no new traffic is not told of, but still found by its own name', async (t) => {
  const names = namesOf([
    table('prod/api', { endpoints: [endpoint(0, { weight: 0 }), endpoint(1, { weight: 9 })] }),
  ])
  t.match(ask(names, 'api.prod.bulkhead', 'A'), { answers: ['A api.prod.bulkhead 10.99.0.2'] })
  const { answers } = ask(names, '_http._tcp.api.prod.bulkhead', 'SRV') as Reply
  t.same(answers, ['SRV 9 20001 api-1-abcdefgh.api.prod.bulkhead'])
  t.match(ask(names, 'api-0-abcdefgh.api.prod.bulkhead', 'A'), { code: 0, answers: [/10.99.0.1$/] })
})

t.test('services by port', async (t) => {
  t.match(ask(proxied, '_http._tcp.api.prod.bulkhead', 'SRV', { id: 0 }), {
    code: 0,
    answers: [
      'SRV 100 20000 api-0-abcdefgh.api.prod.bulkhead',
      'SRV 100 20001 api-1-abcdefgh.api.prod.bulkhead',
    ],
    additionals: [
      'A api-0-abcdefgh.api.prod.bulkhead 10.99.0.1',
      'A api-1-abcdefgh.api.prod.bulkhead 10.99.0.2',
    ],
  })
  t.match(ask(proxied, '_time._udp.clock.prod.bulkhead', 'SRV'), { answers: [/^SRV 100 20004 /] })
  t.match(ask(proxied, '_http._udp.api.prod.bulkhead', 'SRV'), { code: 3, authorities: soa })
  t.match(ask(proxied, '_other._tcp.api.prod.bulkhead', 'SRV'), { code: 3 })
  t.match(ask(proxied, '_http._tcp.api.prod.bulkhead', 'A'), {
    code: 0,
    answers: [],
    authorities: soa,
  })
  t.match(ask(proxied, '_tcp.api.prod.bulkhead', 'SRV'), { code: 0, answers: [], authorities: soa })
  t.match(ask(proxied, '_udp.api.prod.bulkhead', 'SRV'), { code: 3 })
  t.match(ask(proxied, '_http._tcp.idle.prod.bulkhead', 'SRV'), { code: 0, answers: [] })
})

t.test('targets are written in full', async (t) => {
  const outcome = respond(question('_http._tcp.api.prod.bulkhead', 'SRV'), 'udp', {
    names: proxied,
    forwards: false,
  })
  if (outcome.kind !== 'answer') throw new Error(outcome.kind)
  const text = outcome.message.toString('latin1')
  t.equal(text.split('\x0eapi-0-abcdefgh\x03api\x04prod\x08bulkhead\0').length, 2)
})

t.test('what is not there', async (t) => {
  const nowhere = [
    'web.prod.bulkhead',
    'api.test.bulkhead',
    'test.bulkhead',
    'x.api.prod.bulkhead',
    'a.b.c.d.bulkhead',
  ]
  for (const name of nowhere) {
    t.match(
      ask(proxied, name, 'A'),
      { code: 3, aa: 1, answers: [], authorities: soa, ttl: 1 },
      name,
    )
  }
  for (const name of ['prod.bulkhead', 'bulkhead']) {
    t.match(ask(proxied, name, 'A'), { code: 0, aa: 1, answers: [], authorities: soa }, name)
  }
  for (const type of ['MX', 'TXT', 'NS', 65] as const) {
    t.match(
      ask(proxied, 'api.prod.bulkhead', type),
      { code: 0, answers: [], authorities: soa },
      `${type}`,
    )
  }
  t.match(ask(proxied, 'bulkhead', 'SOA'), { code: 0, answers: ['SOA bulkhead ns.bulkhead'] })
  t.match(ask(proxied, 'api.prod.bulkhead', 'ANY'), { answers: [/^A /, /^AAAA /] })
})

t.test('case is kept and does not matter', async (t) => {
  const outcome = respond(question('aPi.PROD.BulkHead', 'A'), 'udp', {
    names: proxied,
    forwards: false,
  })
  if (outcome.kind !== 'answer') throw new Error(outcome.kind)
  const packet = Packet.parse(outcome.message)
  t.equal(packet.questions[0]?.name, 'aPi.PROD.BulkHead')
  t.match(packet.answers, [{ name: 'aPi.PROD.BulkHead', address: '10.231.1.2' }])
  // The name is in it once; the answer points at it.
  t.equal(outcome.message.length, 12 + (19 + 4) + (2 + 10 + 4) + 11)
  t.match(ask(proxied, '_HTTP._Tcp.API.prod.bulkhead', 'SRV', { id: 0 }), {
    answers: ['SRV 100 20000 api-0-abcdefgh.API.prod.bulkhead', /./],
  })
})

t.test('what is too long for a datagram', async (t) => {
  const name = '_http._tcp.big.prod.bulkhead'
  t.match(ask(proxied, name, 'SRV'), { code: 0, tc: 1, answers: [], additionals: [] })
  t.match(ask(proxied, name, 'SRV', { edns: 65_535 }), { tc: 1 })
  const { answers, additionals, tc } = ask(proxied, name, 'SRV', { transport: 'tcp' }) as Reply
  t.same([answers.length, additionals.length, tc], [200, 200, 0])
  const some = namesOf([
    table('prod/api', { endpoints: Array.from({ length: 8 }, (_, index) => endpoint(index)) }),
  ])
  // Without EDNS 512 bytes: the addresses of the targets are left out, which is not worth another question.
  const small = ask(some, '_http._tcp.api.prod.bulkhead', 'SRV', { edns: null }) as Reply
  t.match(small, { tc: 0, additionals: [] })
  t.equal(small.answers.length, 8)
  t.ok(small.bytes <= 512, `${small.bytes} bytes`)
  const large = ask(some, '_http._tcp.api.prod.bulkhead', 'SRV', { edns: 4096 }) as Reply
  t.equal(large.additionals.length, 8)
  const huge = namesOf([
    table('prod/api', { endpoints: Array.from({ length: 900 }, (_, index) => endpoint(index)) }),
  ])
  const most = ask(huge, '_http._tcp.api.prod.bulkhead', 'SRV', { transport: 'tcp' }) as Reply
  t.same([most.answers.length, most.tc], [256, 0])
})

t.test('long ids have names, too', async (t) => {
  const instance = `${'a'.repeat(50)}-12345-abcdefgh`
  const names = namesOf([table('prod/api', { endpoints: [endpoint(0, { instance })] })])
  const { answers } = ask(names, '_http._tcp.api.prod.bulkhead', 'SRV') as Reply
  const [, , , target = ''] = (answers[0] ?? '').split(' ')
  t.match(ask(names, target, 'A'), { code: 0, answers: [/10.99.0.1$/] })
})

t.test('refusals', async (t) => {
  t.match(ask(null, 'api.prod.bulkhead', 'A'), { code: 5, aa: 0, answers: [] })
  t.match(ask(proxied, 'api.prod.bulkhead', 'A', { class: 3 }), { code: 5 })
  t.match(ask(proxied, 'api.prod.bulkhead', 'A', { opcode: 5 }), { code: 4 })
  t.match(ask(proxied, 'bulkhead', 'AXFR'), { code: 5 })
  t.match(ask(proxied, 'bulkhead', 249), { code: 4 })
  t.match(ask(proxied, 'api.prod.bulkhead', 'EDNS'), { code: 1 })
  t.match(ask(proxied, 'api.prod.bulkhead', 'A', { version: 1 }), { code: 16, answers: [] })
})

t.test('names of others', async (t) => {
  t.match(ask(proxied, 'example.com', 'A'), { code: 5, ra: 0 })
  t.match(ask(proxied, 'example.com', 'A', { forwards: true, rd: 0 }), { code: 5 })
  t.equal(ask(proxied, 'example.com', 'A', { forwards: true }), 'forward')
  t.equal(ask(proxied, 'notbulkhead', 'A', { forwards: true }), 'forward')
  t.equal(ask(proxied, '', 'NS', { forwards: true }), 'forward')
  t.match(ask(proxied, 'example.com', 'AXFR', { forwards: true }), { code: 5 })
  t.match(ask(null, 'example.com', 'A', { forwards: true }), { code: 5 })
  t.match(ask(proxied, 'web.prod.bulkhead', 'A', { forwards: true }), { code: 3, ra: 1 })
})

t.test('malformed messages', async (t) => {
  const by = { names: proxied, forwards: true }
  const codeOf = (bytes: Buffer): number | string => {
    const outcome = respond(bytes, 'udp', by)
    return outcome.kind === 'answer' ? Packet.parse(outcome.message).header.rcode : outcome.kind
  }
  const good = question('api.prod.bulkhead', 'A')
  t.equal(codeOf(good), 0)
  t.equal(codeOf(good.subarray(0, 11)), 'silence')
  t.equal(codeOf(good.subarray(0, 20)), 1)
  const changed = (at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(good)
    for (const [index, byte] of bytes.entries()) copy[at + index] = byte
    return copy
  }
  t.equal(codeOf(changed(2, 0x81)), 'silence', 'an answer')
  t.equal(codeOf(changed(4, 0, 2)), 1, 'two questions')
  t.equal(codeOf(changed(4, 0, 0)), 1, 'no question')
  t.equal(codeOf(changed(6, 0, 1)), 1, 'an answer in a question')
  t.equal(codeOf(changed(12, 0xc0, 12)), 1, 'a name that points at itself')
  t.equal(codeOf(changed(12, 0x41)), 1, 'a label of a kind that is not')
  // One label with a dot inside is another name than two labels.
  t.equal(
    codeOf(
      Buffer.concat([
        good.subarray(0, 12),
        Buffer.from('\x08api.prod\x08bulkhead\0\0\x01\0\x01'),
        good.subarray(-11),
      ]),
    ),
    1,
  )
  const twoOptions = Buffer.concat([changed(10, 0, 2), good.subarray(-11)])
  t.equal(codeOf(twoOptions), 1, 'two options records')
})

t.test('a port of another name than http', async (t) => {
  const names = namesOf([
    table('prod/api', {
      ports: { 'admin-2': http },
      endpoints: [endpoint(0, { port: 'admin-2' })],
    }),
  ])
  t.match(ask(names, '_admin-2._tcp.api.prod.bulkhead', 'SRV'), { code: 0, answers: [/^SRV/] })
})

t.test('a node that is known by a name', async (t) => {
  const names = namesOf([
    table('prod/api', { endpoints: [endpoint(0, { address: 'db1.example.gov' }), endpoint(1)] }),
  ])
  t.match(ask(names, 'api.prod.bulkhead', 'A'), {
    code: 0,
    answers: ['A api.prod.bulkhead 10.99.0.2'],
  })
  t.match(ask(names, '_http._tcp.api.prod.bulkhead', 'SRV', { id: 0 }), {
    answers: ['SRV 100 20000 db1.example.gov', 'SRV 100 20001 api-1-abcdefgh.api.prod.bulkhead'],
    additionals: ['A api-1-abcdefgh.api.prod.bulkhead 10.99.0.2'],
  })
})
