/** Longer than heartbeats are apart. */
const gapMs = 5000

interface Beat {
  readonly kind: string
  readonly sequence: number
}

const isBeat = /"kind":"heartbeat(?:-ack)?"/
const isFullSet = /"kind":"assignments".*"from":null|"from":null.*"kind":"assignments"/

/** What a wire-tap on an agent's connection sees of its heartbeats, whatever the agent makes of them. */
export class Heartbeats {
  readonly #sent = new Map<number, number>()
  #hasFullSet = false
  /** When the last heartbeat that was answered had been sent; those before a full set of assignments count for nothing. */
  answeredFromMs = -Infinity
  /** When it was last answered after a gap. */
  resumedAtMs = -Infinity
  #beforeGapMs = -Infinity

  sent(text: string, nowMs: number): void {
    if (this.#hasFullSet && isBeat.test(text)) this.#sent.set(sequenceOf(text), nowMs)
  }

  received(text: string, nowMs: number): void {
    if (isFullSet.test(text)) this.#hasFullSet = true
    if (!isBeat.test(text)) return
    const sentMs = this.#sent.get(sequenceOf(text))
    if (sentMs === undefined) return
    if (nowMs - this.answeredFromMs > gapMs) {
      this.resumedAtMs = nowMs
      this.#beforeGapMs = this.answeredFromMs
    }
    this.answeredFromMs = sentMs
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

const sequenceOf = (text: string): number => (JSON.parse(text) as Beat).sequence
