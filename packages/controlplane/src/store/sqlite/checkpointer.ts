import type { Database, Statement } from 'better-sqlite3'

export interface CheckpointerDeps {
  readonly db: Database
  readonly onFailure: (error: unknown) => void
  /** From this size of the log on, it is written back and begun anew. */
  readonly checkpointBytes: number
  /** From this size on the file is truncated too: an exceptional write made it so large. */
  readonly truncateBytes: number
}

interface LogState {
  readonly log: number
}

/**
 * Keeps the write-ahead log short: by its size, never in the middle of a commit. Passive checkpoints leave the
 * file as long as it is, because overwriting is faster than extending.
 */
export class Checkpointer {
  readonly #deps: CheckpointerDeps
  readonly #inspect: Statement<[], LogState>
  readonly #frameBytes: number
  #soon: NodeJS.Immediate | null = null

  constructor(deps: CheckpointerDeps) {
    this.#deps = deps
    this.#inspect = deps.db.prepare('PRAGMA wal_checkpoint(NOOP)')
    this.#frameBytes = (deps.db.pragma('page_size', { simple: true }) as number) + 24
  }

  /** Looks at the log; when it is long, checkpoints after the current turn of the event loop. */
  afterCommit(): void {
    if (this.#soon !== null || this.#logBytes() < this.#deps.checkpointBytes) return
    this.#soon = setImmediate(() => {
      this.#soon = null
      this.checkpoint(this.#logBytes() < this.#deps.truncateBytes ? 'PASSIVE' : 'TRUNCATE')
    })
  }

  /** What was committed is safe in the log, so that a failure here only means that the log stays long. */
  checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    try {
      this.#deps.db.pragma(`wal_checkpoint(${mode})`)
    } catch (error) {
      this.#deps.onFailure(error)
    }
  }

  stop(): void {
    if (this.#soon !== null) clearImmediate(this.#soon)
    this.#soon = null
  }

  #logBytes(): number {
    try {
      return (this.#inspect.get()?.log ?? 0) * this.#frameBytes
    } catch (error) {
      this.#deps.onFailure(error)
      return 0
    }
  }
}
