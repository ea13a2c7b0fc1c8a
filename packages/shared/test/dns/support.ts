import { Packet } from 'dns2'

import type { VisibleNames } from '../../src/dns.ts'
import type { EndpointTable } from '../../src/wire/endpoints.ts'

type Endpoint = EndpointTable['endpoints'][number]

export const endpoint = (index: number, more: Partial<Endpoint> = {}): Endpoint => ({
  instance: `api-${index}-abcdefgh`,
  node: `n${index}`,
  zone: 'application',
  port: 'http',
  address: `10.99.${Math.floor(index / 200)}.${(index % 200) + 1}`,
  hostPort: 20_000 + index,
  weight: 100,
  ...more,
})

export const http = { port: 8080, protocol: 'tcp', mode: 'http', clientAddress: 'header' } as const
export const datagrams = {
  port: 5000,
  protocol: 'udp',
  mode: 'tcp',
  clientAddress: 'none',
} as const

export const table = (service: string, more: Partial<EndpointTable> = {}): EndpointTable => ({
  service,
  zone: 'application',
  revision: 7,
  addressIndex: 258,
  ports: { http },
  expose: [],
  external: false,
  endpoints: [endpoint(0), endpoint(1)],
  ...more,
})

export function namesOf(
  tables: readonly EndpointTable[],
  addresses: VisibleNames['addresses'] = null,
): VisibleNames {
  const byKey = new Map(tables.map((one) => [one.service, one]))
  return {
    revision: 7,
    addresses,
    hasEnvironment: (environment) => environment === 'prod',
    find: (environment, service) => byKey.get(`${environment}/${service}`) ?? null,
  }
}

export const services = { services: '10.231.0.0/16', services6: 'fd62:756c:6b00::/96' }

export interface Asked {
  readonly id?: number
  readonly rd?: 0 | 1
  readonly edns?: number | null
  readonly class?: number
  readonly opcode?: number
  readonly version?: number
}

/** A question as it travels; `type` by name or number. */
export function question(
  name: string,
  type: keyof typeof Packet.TYPE | number,
  asked: Asked = {},
): Buffer {
  const { id = 4711, rd = 1, edns = 1232, opcode = 0, version = 0 } = asked
  const packet = new Packet(new Packet.Header({ id, rd, opcode }))
  const code = typeof type === 'number' ? type : Packet.TYPE[type]
  packet.questions = [
    new Packet.Question({ name, type: code, class: asked.class ?? Packet.CLASS.IN }),
  ]
  if (edns !== null)
    packet.additionals.push(Packet.Resource.EDNS([], { udpPayloadSize: edns, version }))
  return packet.toBuffer()
}

export interface Read {
  readonly code: number
  /** Addresses and targets with their ports, sorted. */
  readonly answers: readonly string[]
}

/** What an answer says, for tests that are about more than DNS. */
export function readAnswer(bytes: Buffer | null | undefined): Read | null {
  if (!bytes) return null
  const { header, answers } = Packet.parse(bytes)
  const shown = answers.map(({ address, target, port }) => address ?? `${target}:${port}`)
  return { code: header.rcode, answers: shown.toSorted() }
}

/** An answer with one address, and what was asked. */
export function answerWith(message: Buffer, address: string): { name: string; bytes: Buffer } {
  const answer = Packet.createResponseFromRequest(Packet.parse(message))
  const { name = '' } = answer.questions[0] ?? {}
  answer.header.ra = 1
  answer.answers = [new Packet.Resource({ name, type: 1, class: 1, ttl: 60, address })]
  return { name, bytes: answer.toBuffer() }
}
