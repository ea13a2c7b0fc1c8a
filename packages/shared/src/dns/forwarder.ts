import type { Clock } from '../clock.ts'
import type { Ask } from './ask.ts'
import type { Query, Transport } from './core/message.ts'
import { cutToLimit, isAnswerTo, withId } from './core/relay.ts'
import type { Resolvers } from './core/resolv-conf.ts'

export interface ForwarderDeps {
  readonly resolvers: () => Promise<Resolvers>
  readonly ask: Ask
  /** In [0, 1). */
  readonly random: () => number
  readonly clock: Clock
  /** Where the resolvers of the host listen. */
  readonly port?: number
}

/** So many questions are with others at a time: of everybody, and of one asker. */
const maxPending = { all: 512, each: 64 } as const
/** An asker has given up by then. */
const patienceMs = 10_000
const dnsPort = 53

/** Has names of others looked up by the host's resolvers. Nothing is remembered: they do that. */
export class Forwarder {
  readonly #deps: ForwarderDeps
  readonly #pending = new Map<string, number>()
  #count = 0

  constructor(deps: ForwarderDeps) {
    this.#deps = deps
  }

  /** Null when nobody answers in time, or too much is under way. Never rejects. */
  async forward(
    message: Buffer,
    query: Query,
    transport: Transport,
    from: string,
  ): Promise<Buffer | null> {
    const own = this.#pending.get(from) ?? 0
    if (this.#count >= maxPending.all || own >= maxPending.each) return null
    this.#count += 1
    this.#pending.set(from, own + 1)
    try {
      return await this.#tryAll(message, query, transport)
    } catch {
      return null
    } finally {
      this.#count -= 1
      const left = (this.#pending.get(from) ?? 1) - 1
      if (left === 0) this.#pending.delete(from)
      else this.#pending.set(from, left)
    }
  }

  async #tryAll(message: Buffer, query: Query, transport: Transport): Promise<Buffer | null> {
    const { resolvers, ask, random, clock, port = dnsPort } = this.#deps
    const { servers, timeoutMs, attempts } = await resolvers()
    const endMs = clock.monotonicMs() + patienceMs
    for (let round = 0; round < attempts; round++) {
      for (const address of servers) {
        const leftMs = Math.min(timeoutMs, endMs - clock.monotonicMs())
        if (leftMs <= 0) return null
        // An id of our own, because the asker's is known to the asker.
        const sent = withId(message, Math.floor(random() * 2 ** 16))
        const isAnswer = (answer: Buffer): boolean => isAnswerTo(sent, answer)
        const answer = await ask({ address, port }, transport, sent, isAnswer, leftMs).catch(
          () => null,
        )
        if (answer !== null) return cutToLimit(withId(answer, query.id), query, transport)
      }
    }
    return null
  }
}
