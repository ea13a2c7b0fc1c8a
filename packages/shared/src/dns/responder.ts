import { type AskedBy, respond } from './core/respond.ts'
import type { Forwarder } from './forwarder.ts'
import type { DnsHandler } from './server.ts'

/** Answers from what `asker` may know, and has the rest looked up where it may be. */
export function makeResponder(deps: {
  readonly asker: (from: string) => Promise<AskedBy> | AskedBy
  readonly forwarder: Forwarder | null
  /** Somebody was left without an answer. */
  readonly onError: (error: unknown) => void
}): DnsHandler {
  const { asker, forwarder, onError } = deps
  const answer = (by: AskedBy, { message, transport, from }: Parameters<DnsHandler>[0]) => {
    const kept = by.kept?.find(message, transport)
    if (kept) return kept
    const outcome = respond(message, transport, by)
    if (outcome.kind === 'silence') return null
    if (outcome.kind === 'answer') {
      if (outcome.mayBeKept) by.kept?.keep(message, transport, outcome.message)
      return outcome.message
    }
    if (forwarder === null) return outcome.failed
    return forwarder
      .forward(message, outcome.query, transport, from)
      .then((forwarded) => forwarded ?? outcome.failed)
  }
  return async (request) => {
    try {
      return await answer(await asker(request.from), request)
    } catch (error) {
      onError(error)
      return null
    }
  }
}
