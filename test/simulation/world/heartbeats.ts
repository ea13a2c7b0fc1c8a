/** Longer than heartbeats are apart. */
const gapMs = 5000

const beginning = '{"kind":"'
const sequence = /"sequence":(\d+)/
const isFullSet = /"kind":"assignments".*"from":null|"from":null.*"kind":"assignments"/

/** What a wire-tap on an agent's connection sees of its heartbeats, whatever the agent makes of them. */
export class Heartbeats {
  readonly #sent = new Map<number, number>()
  #hasFullSet = false
  /** When the last heartbeat that was answered had been sent; those before a full set of assignments count for nothing. */
  answeredFromMs = -Infinity
  /** When that answer came. */
  answeredAtMs = -Infinity
  /** When it was last answered after a gap. */
  resumedAtMs = -Infinity
  #beforeGapMs = -Infinity

  sent(text: string, nowMs: number): void {
    const number = this.#hasFullSet ? sequenceOf(text) : null
    if (number !== null) this.#sent.set(number, nowMs)
  }

  received(text: string, nowMs: number): void {
    const number = sequenceOf(text)
    if (number === null) {
      this.#hasFullSet ||= isFullSet.test(text)
      return
    }
    const sentMs = this.#sent.get(number)
    if (sentMs === undefined) return
    if (nowMs - this.answeredFromMs > gapMs) {
      this.resumedAtMs = nowMs
      this.#beforeGapMs = this.answeredFromMs
    }
    this.answeredFromMs = sentMs
    this.answeredAtMs = nowMs
    this.#sent.clear()
  }

  /** What it went by until `forMs` ago, when a gap has ended since; else what it goes by. */
  answeredFromBefore(nowMs: number, forMs: number): number {
    return nowMs - this.resumedAtMs <= forMs ? this.#beforeGapMs : this.answeredFromMs
  }

  /** A new connection counts anew. */
  reconnected(): void {
    this.#hasFullSet = false
    this.#sent.clear()
  }
}

/** Null for what is no heartbeat and no answer to one. */
function sequenceOf(text: string): number | null {
  if (!text.startsWith(beginning))
    throw new Error(`a message begins with its kind, and not so: ${text}`)
  if (!text.startsWith('heartbeat', beginning.length)) return null
  const digits = sequence.exec(text)?.[1]
  if (digits === undefined) throw new Error(`a heartbeat without a number: ${text}`)
  return Number(digits)
}
