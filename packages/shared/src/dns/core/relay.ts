import { Packet } from 'dns2'

import { datagramLimit, encodeCut, type Query, type Transport } from './message.ts'

const headerBytes = 12
const flagsAt = 2
const codeAt = 3

/** The same message under another id. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(id)
  return copy
}

/** Whether `answer` is an answer to exactly this question: same id, same name in the same spelling, same type. */
export function isAnswerTo(question: Buffer, answer: Buffer): boolean {
  if (answer.length < headerBytes || ((answer[flagsAt] ?? 0) & 0x80) === 0) return false
  if (answer.readUInt16BE(0) !== question.readUInt16BE(0)) return false
  const header = Packet.Header.parse(answer.subarray(0, headerBytes))
  // A refusal may come without the question.
  if (header.qdcount === 0) return header.rcode !== 0
  const asked = questionOf(question)
  const answered = questionOf(answer)
  if (asked === null || answered === null) return false
  return (
    asked.name === answered.name && asked.type === answered.type && asked.class === answered.class
  )
}

/** Null when it cannot be read. */
function questionOf(message: Buffer): Packet['questions'][number] | null {
  try {
    return Packet.Question.parse(new Packet.Reader(message, headerBytes * 8))
  } catch {
    return null
  }
}

/** An answer that is longer than the asker takes is replaced by one without records that says so (TC). */
export function cutToLimit(answer: Buffer, query: Query, transport: Transport): Buffer {
  if (transport === 'tcp' || answer.length <= datagramLimit(query)) return answer
  return encodeCut(query, (answer[codeAt] ?? 0) & 0xf)
}
