import type { Transport } from './message.ts'
import { turns } from './zone.ts'

/** Beyond that everything is forgotten, and begins anew: who asks for so many names is no program that looks up a few. */
const maxAnswers = 4096
const idBytes = 2
/** Longer ones are rare, and would take much memory; with them what is kept has at most 7 MB. */
const longest = { question: 256, answer: 1232 } as const

/**
 * Answers to questions that are put again, byte for byte but for their id. They hold as long as what the asker may
 * know: whoever replaces that makes a new one of these.
 */
export class KeptAnswers {
  readonly #answers = new Map<string, Buffer>()

  /** The answer to this message; null: it has to be made. */
  find(message: Buffer, transport: Transport): Buffer | null {
    if (message.length <= idBytes) return null
    const kept = this.#answers.get(keyOf(message, transport))
    if (kept === undefined) return null
    const answer = Buffer.from(kept)
    message.copy(answer, 0, 0, idBytes)
    return answer
  }

  keep(message: Buffer, transport: Transport, answer: Buffer): void {
    if (message.length > longest.question || answer.length > longest.answer) return
    if (this.#answers.size >= maxAnswers) this.#answers.clear()
    this.#answers.set(keyOf(message, transport), Buffer.from(answer))
  }
}

/** Questions of another turn are answered from another endpoint on. */
const keyOf = (message: Buffer, transport: Transport): string =>
  `${transport}${message.readUInt16BE(0) % turns} ${message.toString('latin1', idBytes)}`
