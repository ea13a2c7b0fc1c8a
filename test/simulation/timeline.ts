import { createHash } from 'node:crypto'

/** Lines kept for people; of a longer run the newest. */
const linesKept = 20_000

/** What is hashed at once: a call of the hash costs more than the few characters of a line. */
const hashedAtOnce = 16_384

/** Everything that happened, as one hash; and what people want to read of it, as lines. */
export class Timeline {
  readonly #hash = createHash('sha256')
  #unhashed = ''
  readonly #nowMs: () => number
  readonly #keeps: boolean
  #lines: string[] = []

  constructor(nowMs: () => number, keeps: boolean) {
    this.#nowMs = nowMs
    this.#keeps = keeps
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  digest(): string {
    return this.#hash.copy().update(this.#unhashed).digest('hex')
  }

  /** Counts towards the hash only. */
  trace(line: string): void {
    this.#unhashed += `${this.#nowMs()} ${line}\n`
    if (this.#unhashed.length < hashedAtOnce) return
    this.#hash.update(this.#unhashed)
    this.#unhashed = ''
  }

  tell(line: string): void {
    this.trace(line)
    if (!this.#keeps) return
    this.#lines.push(`${formatTime(this.#nowMs())}  ${line}`)
    if (this.#lines.length > 2 * linesKept) this.#lines = this.#lines.slice(-linesKept)
  }
}

/** Minutes, seconds and milliseconds of simulated time. */
export function formatTime(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const seconds = ((ms - minutes * 60_000) / 1000).toFixed(3)
  return `${minutes}:${seconds.padStart(6, '0')}`
}
