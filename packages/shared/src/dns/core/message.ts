import { Packet } from 'dns2'

import { ByteWriter } from './byte-writer.ts'
import { domain } from './name.ts'
import { writeTargetsInFull } from './srv-codec.ts'
import { type QuestionType, ttlS, type ZoneAnswer, type ResourceRecord } from './zone.ts'

writeTargetsInFull()

/** Over UDP answers stay below this whatever the asker would take, so that they are never cut into fragments. */
export const maxDatagramBytes = 1232
const classicDatagramBytes = 512
const maxStreamBytes = 65_535
const headerBytes = 12
/** Questions have no reason to be longer. */
export const maxQuestionBytes = 4096
/** Options, a signature, and as many again that are not known yet. */
const maxAdditionals = 4

export const rcode = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  badVers: 16,
} as const

export type Transport = 'udp' | 'tcp'

/** A question that can be answered. */
export interface Query {
  readonly id: number
  readonly recursionDesired: boolean
  readonly name: string
  readonly type: number
  readonly class: number
  /** The asker's EDNS: its limit for datagrams; null: it has none. */
  readonly edns: { readonly maxBytes: number; readonly version: number } | null
}

export type Parsed =
  | { readonly kind: 'query'; readonly query: Query }
  /** To be refused with this code. */
  | { readonly kind: 'bad'; readonly id: number; readonly opcode: number; readonly rcode: number }
  /** Nothing that anybody waits for an answer to. */
  | { readonly kind: 'noise' }

/** Never throws, whatever the bytes; what it takes is bounded, because the names in a message are few. */
export function parseMessage(bytes: Buffer): Parsed {
  if (bytes.length < headerBytes || bytes.length > maxQuestionBytes) return { kind: 'noise' }
  const header = Packet.Header.parse(bytes.subarray(0, headerBytes))
  const { id, qr, opcode, rd, qdcount, ancount, nscount, arcount } = header
  // Answering answers would make two servers talk for ever.
  if (qr === 1) return { kind: 'noise' }
  const bad = (code: number): Parsed => ({ kind: 'bad', id, opcode, rcode: code })
  if (opcode !== 0) return bad(rcode.notImp)
  // A transfer of changes brings the record that it starts from.
  if (qdcount !== 1 || ancount !== 0 || nscount > 1 || arcount > maxAdditionals)
    return bad(rcode.formErr)
  const { questions, additionals, errors } = Packet.parse(bytes)
  const [question] = questions
  if (!question || errors.length > 0) return bad(rcode.formErr)
  const options = additionals.filter((record) => record.type === Packet.TYPE.EDNS)
  const [option] = options
  if (options.length > 1 || (option && option.name !== '')) return bad(rcode.formErr)
  const edns = option ? { maxBytes: option.class, version: option.version ?? 0 } : null
  const { name, type } = question
  return {
    kind: 'query',
    query: { id, recursionDesired: rd === 1, name, type, class: question.class, edns },
  }
}

/** Whether the name stands in the message as it was read: no dots inside labels, no pointers. */
export function isPlainName(bytes: Buffer, name: string): boolean {
  const writer = new ByteWriter()
  Packet.Name.encode(name, writer as never)
  const plain = writer.toBuffer()
  return bytes.subarray(headerBytes, headerBytes + plain.length).equals(plain)
}

const questionTypes: Readonly<Record<number, QuestionType>> = {
  [Packet.TYPE.A]: 'A',
  [Packet.TYPE.AAAA]: 'AAAA',
  [Packet.TYPE.SRV]: 'SRV',
  [Packet.TYPE.SOA]: 'SOA',
  [Packet.TYPE.ANY]: 'ANY',
}
export const questionType = (type: number): QuestionType => questionTypes[type] ?? 'other'

/** How an answer says what it is, beyond its records. */
export interface Flags {
  readonly isAuthority: boolean
  /** Names of others are answered too. */
  readonly offersRecursion: boolean
}

export interface Answer extends Partial<
  Pick<ZoneAnswer, 'answers' | 'authorities' | 'additionals'>
> {
  readonly rcode: number
}

const noSections = { answers: [], authorities: [], additionals: [] }

/**
 * The message, within what the asker takes: additional records are left out first, and where the answer itself is
 * too long it says so (TC), so that the asker comes back over TCP.
 */
export function encodeAnswer(
  query: Query,
  answer: Answer,
  flags: Flags,
  transport: Transport,
): Buffer {
  const limit = transport === 'tcp' ? maxStreamBytes : datagramLimit(query)
  const { answers, authorities, additionals } = { ...noSections, ...answer }
  const whole = encode(query, { ...answer, answers, authorities, additionals }, flags, false)
  if (whole.length <= limit) return whole
  const bare = encode(query, { ...answer, additionals: [] }, flags, false)
  if (bare.length <= limit) return bare
  return encode(query, { rcode: answer.rcode }, flags, true)
}

export function datagramLimit({ edns }: Pick<Query, 'edns'>): number {
  if (edns === null) return classicDatagramBytes
  return Math.min(Math.max(edns.maxBytes, classicDatagramBytes), maxDatagramBytes)
}

/** Says that the answer is too long for a datagram. */
export function encodeCut(query: Query, code: number): Buffer {
  return encode(query, { rcode: code }, { isAuthority: false, offersRecursion: true }, true)
}

/** An answer to what has no question that could be repeated. */
export function encodeBad({ id, opcode, rcode: code }: Extract<Parsed, { kind: 'bad' }>): Buffer {
  return new Packet(new Packet.Header({ id, opcode, qr: 1, rcode: code })).toBuffer()
}

function encode(query: Query, answer: Answer, flags: Flags, isCut: boolean): Buffer {
  const packet = new Packet(
    new Packet.Header({
      id: query.id,
      qr: 1,
      aa: flags.isAuthority ? 1 : 0,
      tc: isCut ? 1 : 0,
      rd: query.recursionDesired ? 1 : 0,
      ra: flags.offersRecursion ? 1 : 0,
      rcode: answer.rcode,
    }),
  )
  // Its constructor would take type 0 for the lack of one.
  const { name, type, class: klass } = query
  packet.questions = [{ name, type, class: klass } as Packet['questions'][number]]
  packet.answers = (answer.answers ?? []).map(toWire)
  packet.authorities = (answer.authorities ?? []).map(toWire)
  packet.additionals = (answer.additionals ?? []).map(toWire)
  if (query.edns !== null) {
    packet.additionals.push(Packet.Resource.EDNS([], { udpPayloadSize: maxDatagramBytes }))
  }
  return bytesOf(packet)
}

/** The types of the library hide that it writes into whatever can be written into. */
const bytesOf = (packet: Packet): Buffer =>
  (packet as unknown as { toBuffer(writer: ByteWriter): Buffer }).toBuffer(new ByteWriter())

function toWire(record: ResourceRecord): Packet['answers'][number] {
  const { name, type, ttlS: ttl } = record
  const head = { name, ttl, type: Packet.TYPE[type], class: Packet.CLASS.IN }
  return new Packet.Resource({ ...head, ...dataOf(record) })
}

function dataOf(record: ResourceRecord): Partial<Packet['answers'][number]> {
  if (record.type === 'SRV') {
    const { weight, port, target } = record
    return { priority: 0, weight, port, target }
  }
  if (record.type !== 'SOA') return { address: record.address }
  return {
    primary: `ns.${domain}`,
    admin: `hostmaster.${domain}`,
    serial: record.serial,
    refresh: soaTimesS.refresh,
    retry: soaTimesS.retry,
    expiration: soaTimesS.expire,
    minimum: ttlS.negative,
  }
}

/** For secondaries, of which there are none. */
const soaTimesS = { refresh: 60, retry: 10, expire: 3600 } as const
