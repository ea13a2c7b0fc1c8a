import { createHash } from 'node:crypto'

/** Lines kept for people; of a longer run the newest. */
const linesKept = 20_000
/** What is hashed at once: a call of the hash costs more than what there is of one event. */
const eventsAtOnce = 4096
const charactersAtOnce = 65_536

/** Everything that happened, as one hash; and what people want to read of it, as lines. */
export class Timeline {
  readonly #hash = createHash('sha256')
  readonly #nowMs: () => number
  readonly #keeps: boolean
  /** Of the events that are not hashed yet, when each was, and the number of its label. */
  readonly #times = new Float64Array(eventsAtOnce)
  readonly #kinds = new Uint32Array(eventsAtOnce)
  readonly #labels = new Map<string, number>()
  #events = 0
  #unhashedEvents = 0
  #unhashedText = ''
  #lines: string[] = []

  constructor(nowMs: () => number, keeps: boolean) {
    this.#nowMs = nowMs
    this.#keeps = keeps
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  /** How many events there were. */
  get events(): number {
    return this.#events
  }

  digest(): string {
    this.#takeIn()
    return this.#hash.copy().digest('hex')
  }

  /** An event begins. */
  event(label: string): void {
    this.#events += 1
    const index = this.#unhashedEvents
    this.#times[index] = this.#nowMs()
    this.#kinds[index] = this.#labels.get(label) ?? this.#name(label)
    this.#unhashedEvents = index + 1
    if (this.#unhashedEvents === eventsAtOnce) this.#takeIn()
  }

  /** Counts towards the hash only. */
  trace(line: string): void {
    // The number of the event says when it was.
    this.#unhashedText += `${this.#events} ${line}\n`
    if (this.#unhashedText.length > charactersAtOnce) this.#takeIn()
  }

  tell(line: string): void {
    this.trace(line)
    if (!this.#keeps) return
    this.#lines.push(`${formatTime(this.#nowMs())}  ${line}`)
    if (this.#lines.length > 2 * linesKept) this.#lines = this.#lines.slice(-linesKept)
  }

  #name(label: string): number {
    const number = this.#labels.size
    this.#labels.set(label, number)
    this.trace(`label ${number} ${label}`)
    return number
  }

  #takeIn(): void {
    const count = this.#unhashedEvents
    this.#hash
      .update(this.#times.subarray(0, count))
      .update(this.#kinds.subarray(0, count))
      .update(this.#unhashedText)
    this.#unhashedEvents = 0
    this.#unhashedText = ''
  }
}

/** Minutes, seconds and milliseconds of simulated time. */
export function formatTime(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const seconds = ((ms - minutes * 60_000) / 1000).toFixed(3)
  return `${minutes}:${seconds.padStart(6, '0')}`
}
