import {
  encodeAnswer,
  encodeBad,
  isPlainName,
  parseMessage,
  type Query,
  questionType,
  rcode,
  type Transport,
} from './message.ts'
import { parseName } from './name.ts'
import { answerFromZone, type VisibleNames } from './zone.ts'

export type Outcome =
  | { readonly kind: 'answer'; readonly message: Buffer }
  /** The name is somebody else's, and the asker may have it looked up; `failed` is what it hears when that fails. */
  | { readonly kind: 'forward'; readonly query: Query; readonly failed: Buffer }
  /** Nobody waits for an answer. */
  | { readonly kind: 'silence' }

/** Whose question it is. */
export interface AskedBy {
  /** Null: nobody that is known. */
  readonly names: VisibleNames | null
  /** Whether names outside the domain are looked up for it. */
  readonly forwards: boolean
}

const internet = 1
const anyClass = 255
const optionType = 41
const transfers = { first: 251, last: 252 } as const
const metaTypes = { first: 128, last: 254 } as const

/** What is to be done about a message. Never throws, whatever the bytes. */
export function respond(
  bytes: Buffer,
  transport: Transport,
  { names, forwards }: AskedBy,
): Outcome {
  const parsed = parseMessage(bytes)
  if (parsed.kind === 'noise') return { kind: 'silence' }
  if (parsed.kind === 'bad') return { kind: 'answer', message: encodeBad(parsed) }
  const { query } = parsed
  const refuse = (code: number): Outcome => {
    const flags = { isAuthority: false, offersRecursion: forwards }
    return { kind: 'answer', message: encodeAnswer(query, { rcode: code }, flags, transport) }
  }
  const problem = problemOf(query)
  if (problem !== null) return refuse(problem)
  if (names === null) return refuse(rcode.refused)
  if (parseName(query.name).kind === 'foreign') {
    if (!forwards || !query.recursionDesired) return refuse(rcode.refused)
    const flags = { isAuthority: false, offersRecursion: true }
    const failed = encodeAnswer(query, { rcode: rcode.servFail }, flags, transport)
    return { kind: 'forward', query, failed }
  }
  if (!isPlainName(bytes, query.name))
    return { kind: 'answer', message: encodeBad(malformed(query)) }
  const type = questionType(query.type)
  const { exists, ...sections } = answerFromZone({ name: query.name, type, turn: query.id }, names)
  const answer = { rcode: exists ? rcode.noError : rcode.nxDomain, ...sections }
  const flags = { isAuthority: true, offersRecursion: forwards }
  return { kind: 'answer', message: encodeAnswer(query, answer, flags, transport) }
}

/** The code for what is not done for anybody; null: nothing is wrong. */
function problemOf(query: Query): number | null {
  if (query.edns !== null && query.edns.version > 0) return rcode.badVers
  if (query.type === optionType) return rcode.formErr
  if (query.type >= transfers.first && query.type <= transfers.last) return rcode.refused
  if (query.type >= metaTypes.first && query.type <= metaTypes.last) return rcode.notImp
  if (query.class !== internet && query.class !== anyClass) return rcode.refused
  return null
}

const malformed = ({ id }: Query) => ({ kind: 'bad', id, opcode: 0, rcode: rcode.formErr }) as const
