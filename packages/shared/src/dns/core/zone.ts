import { serviceAddress, serviceAddress6 } from '../../service-address.ts'
import type { Endpoint, EndpointTable } from '../../wire/endpoints.ts'
import { recordTypeOf } from '../record-type.ts'
import { domain, type Name, parseName } from './name.ts'

/** What somebody who asks may know. */
export interface VisibleNames {
  /** Counts up with what is known. */
  readonly revision: number
  /** The networks of service addresses, where connections to those are passed on; null: they are not. */
  readonly addresses: { readonly services: string; readonly services6: string | null } | null
  hasEnvironment(environment: string): boolean
  /** Null when there is no such service, or the asker may not know of it. */
  find(environment: string, service: string): EndpointTable | null
}

export type ResourceRecord =
  | {
      readonly type: 'A' | 'AAAA'
      readonly name: string
      readonly ttlS: number
      readonly address: string
    }
  | {
      readonly type: 'SRV'
      readonly name: string
      readonly ttlS: number
      readonly weight: number
      readonly port: number
      readonly target: string
    }
  | { readonly type: 'SOA'; readonly name: string; readonly ttlS: number; readonly serial: number }

export type QuestionType = 'A' | 'AAAA' | 'SRV' | 'SOA' | 'ANY' | 'other'

export interface ZoneAnswer {
  readonly exists: boolean
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
}

/** A service keeps its address, but may come to be gone; endpoints move with every rollout. */
export const ttlS = { service: 5, endpoint: 1, negative: 1 } as const
/** So many endpoints are told of at once; which ones depends on `turn`. */
export const maxEndpoints = 256

/** Lists begin from so many places, so that not all clients take the same endpoint. */
export const turns = 16

const maxLabelLength = 63

export interface Question {
  /** As it was asked, without a dot at its end, and outside the domain never. */
  readonly name: string
  readonly type: QuestionType
  /** From 0 to less than 1: how far into lists they begin, so that not all clients take the same endpoint. */
  readonly turn: number
}

type Of<K extends Name['kind']> = Extract<Name, { kind: K }>
type NameOfService = Of<'service' | 'instance' | 'protocol' | 'port'>

/** The answer to a question about a name below the domain. */
export function answerFromZone(question: Question, names: VisibleNames): ZoneAnswer {
  const name = parseName(question.name)
  if (name.kind === 'foreign' || name.kind === 'none') return absent(names)
  if (name.kind === 'domain') {
    const isSoa = question.type === 'SOA' || question.type === 'ANY'
    return found(isSoa ? [soa(names)] : [], names)
  }
  if (name.kind === 'environment') {
    return names.hasEnvironment(name.environment) ? found([], names) : absent(names)
  }
  const table = names.find(name.environment, name.service)
  return table === null ? absent(names) : answerFromTable(question, name, table, names)
}

function answerFromTable(
  question: Question,
  name: NameOfService,
  table: EndpointTable,
  names: VisibleNames,
): ZoneAnswer {
  if (name.kind === 'service') return found(addressesOfService(question, table, names), names)
  if (name.kind === 'instance') {
    const own = table.endpoints.filter(({ instance }) => labelOf(instance) === name.instance)
    return own.length === 0 ? absent(names) : found(addressRecords(question, own), names)
  }
  if (name.kind === 'protocol') {
    const ports = Object.keys(table.ports)
    const isOffered = ports.some((port) => offers(table, port, name.protocol))
    return isOffered ? found([], names) : absent(names)
  }
  if (!offers(table, name.port, name.protocol)) return absent(names)
  const isSrv = question.type === 'SRV' || question.type === 'ANY'
  return isSrv ? answerWithServices(question, table, name.port, names) : found([], names)
}

/** What is no longer offered is still served during a rollout, and was by nobody knows which protocol. */
function offers(table: EndpointTable, port: string, protocol: 'tcp' | 'udp'): boolean {
  const offered = table.ports[port]
  if (offered) return offered.protocol === protocol
  return table.endpoints.some((endpoint) => endpoint.port === port)
}

/**
 * The address that is the service's own, where connections to it are passed on. Datagrams are not, so that a service
 * which offers nothing else is where its endpoints are.
 */
function addressesOfService(
  question: Question,
  table: EndpointTable,
  names: VisibleNames,
): readonly ResourceRecord[] {
  const isProxied = Object.values(table.ports).some(({ protocol }) => protocol === 'tcp')
  if (names.addresses === null || table.addressIndex === null || !isProxied) {
    return addressRecords(question, turned(open(table.endpoints), question.turn))
  }
  const { services, services6 } = names.addresses
  const { name } = question
  const records: ResourceRecord[] = []
  if (wants(question, 'A')) {
    const address = serviceAddress(services, table.addressIndex)
    records.push({ type: 'A', name, ttlS: ttlS.service, address })
  }
  if (wants(question, 'AAAA') && services6 !== null) {
    const address = serviceAddress6(services6, services, table.addressIndex)
    records.push({ type: 'AAAA', name, ttlS: ttlS.service, address })
  }
  return records
}

function answerWithServices(
  question: Question,
  table: EndpointTable,
  port: string,
  names: VisibleNames,
): ZoneAnswer {
  const suffix = question.name.split('.').slice(2).join('.')
  const endpoints = open(table.endpoints).filter((endpoint) => endpoint.port === port)
  const chosen = turned(endpoints, question.turn)
  const answers = chosen.map(({ instance, address, weight, hostPort }): ResourceRecord => {
    // A node may be known by a name; that leads to it then.
    const target = recordTypeOf(address) === null ? address : `${labelOf(instance)}.${suffix}`
    return { type: 'SRV', name: question.name, ttlS: ttlS.endpoint, weight, port: hostPort, target }
  })
  const any = { ...question, type: 'ANY' as const }
  const additionals = chosen.flatMap((endpoint) =>
    addressRecords({ ...any, name: `${labelOf(endpoint.instance)}.${suffix}` }, [endpoint]),
  )
  return { ...found(answers, names), additionals }
}

/** A label has at most 63 characters; the end of an id is what is its own. */
const labelOf = (instance: string): string =>
  instance.toLowerCase().slice(-maxLabelLength).replace(/^-+/, '')

/** Each address once. */
function addressRecords(
  question: Question,
  endpoints: readonly Endpoint[],
): readonly ResourceRecord[] {
  const addresses = [...new Set(endpoints.map(({ address }) => address))]
  const { name } = question
  return addresses.flatMap((address) => {
    const type = recordTypeOf(address)
    return type !== null && wants(question, type)
      ? [{ type, name, ttlS: ttlS.endpoint, address }]
      : []
  })
}

const wants = ({ type }: Question, wanted: QuestionType): boolean =>
  type === wanted || type === 'ANY'

/** Endpoints that take new traffic. */
const open = (endpoints: readonly Endpoint[]): readonly Endpoint[] =>
  endpoints.filter(({ weight }) => weight > 0)

function turned<T>(list: readonly T[], turn: number): readonly T[] {
  if (list.length < 2) return list
  const at = Math.floor(turn * list.length)
  return [...list.slice(at), ...list.slice(0, at)].slice(0, maxEndpoints)
}

const soa = ({ revision }: VisibleNames): ResourceRecord => ({
  type: 'SOA',
  name: domain,
  ttlS: ttlS.negative,
  serial: revision % 2 ** 32,
})

/** Without an answer the domain's SOA says for how long that holds. */
const found = (answers: readonly ResourceRecord[], names: VisibleNames): ZoneAnswer => ({
  exists: true,
  answers,
  authorities: answers.length === 0 ? [soa(names)] : [],
  additionals: [],
})

const absent = (names: VisibleNames): ZoneAnswer => ({ ...found([], names), exists: false })
