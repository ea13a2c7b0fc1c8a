import type { BeatKind } from '@bulkhead/shared'

/** What an agent knows of its connection. Times are monotonic milliseconds; null: there is none. */
export interface Contact {
  /** When the first heartbeat was sent that has not been answered yet. */
  readonly unansweredSinceMs: number | null
  /** When a heartbeat was last answered. */
  readonly answeredAtMs: number | null
  /** When anything came from the server, by whatever way. */
  readonly heardAtMs: number | null
}

/** So long an answer may take before beats are sent, and so far they are apart. */
export const beatEveryMs = 100
/** The server does not count beats for longer than this after it last heard a session, nor are they sent for longer. */
const beatsForMs = 30_000
/** An agent that has heard nothing for so long says so: it would be wrong to keep counting on it. */
const deafAfterMs = 1000

/** A server that has not been asked has nothing to say. */
export function hears({ heardAtMs, unansweredSinceMs }: Contact, nowMs: number): boolean {
  return heardAtMs !== null && nowMs - Math.max(heardAtMs, unansweredSinceMs ?? heardAtMs) < deafAfterMs
}

/** Null: no beat is called for any more, because the connection moves, or has not for too long. */
export function beatDue(contact: Contact, nowMs: number): BeatKind | null {
  const { unansweredSinceMs, answeredAtMs } = contact
  if (unansweredSinceMs === null || answeredAtMs === null || nowMs - answeredAtMs >= beatsForMs) return null
  return hears(contact, nowMs) ? 'hears' : 'deaf'
}
