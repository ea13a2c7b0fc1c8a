/** One open connection to an agent, whatever carries it: a WebSocket in production, memory in the simulator. */
export interface Connection {
  send(text: string): void
  close(code: number, reason: string): void
  /** Bytes that were sent but have not left yet. */
  readonly bufferedBytes: number
}

/** Close codes of WebSocket that both sides know. */
export const closeCodes = {
  badMessage: 4000,
  superseded: 4001,
  removed: 4002,
  tooSlow: 4003,
  tooFast: 4005,
  silent: 4004,
  taken: 4006,
  restarting: 1012,
} as const

/** Of a close frame, in UTF-8. */
const maxReasonBytes = 123
const cutCharacterBytes = 3

/** A reason that a close frame has room for: a longer one would be refused by an exception. */
export function closeReason(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxReasonBytes) return text
  return bytes.subarray(0, maxReasonBytes - cutCharacterBytes).toString()
}
