import type { KeptAnswers } from './kept-answers.ts'
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
import { answerFromZone, turns, type VisibleNames } from './zone.ts'

export type Outcome =
  | {
      readonly kind: 'answer'
      readonly message: Buffer
      /** It is the same for every question that differs from this one in its id alone, and has the same turn. */
      readonly mayBeKept: boolean
    }
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
  /** Answers that were made for it; null: none are kept. */
  readonly kept: KeptAnswers | null
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
  { names, forwards }: Pick<AskedBy, 'names' | 'forwards'>,
): Outcome {
  const parsed = parseMessage(bytes)
  if (parsed.kind === 'noise') return { kind: 'silence' }
  if (parsed.kind === 'bad') return { kind: 'answer', message: encodeBad(parsed), mayBeKept: false }
  const { query } = parsed
  const refuse = (code: number): Outcome => {
    const flags = { isAuthority: false, offersRecursion: forwards }
    const message = encodeAnswer(query, { rcode: code }, flags, transport)
    return { kind: 'answer', message, mayBeKept: false }
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
    return { kind: 'answer', message: encodeBad(malformed(query)), mayBeKept: false }
  const type = questionType(query.type)
  const { exists, ...sections } = answerFromZone(
    { name: query.name, type, turn: (query.id % turns) / turns },
    names,
  )
  const answer = { rcode: exists ? rcode.noError : rcode.nxDomain, ...sections }
  const flags = { isAuthority: true, offersRecursion: forwards }
  const message = encodeAnswer(query, answer, flags, transport)
  // What is not there can be asked for in any number of ways.
  return { kind: 'answer', message, mayBeKept: exists }
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
