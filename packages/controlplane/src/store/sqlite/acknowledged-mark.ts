import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'

const width = 20
const filePermissions = 0o600

/** Beside the database: the last revision that was acknowledged. */
export const markFileOf = (file: string): string => `${file}.acknowledged`

/**
 * Remembers the last revision of which somebody was told that it is on the disk. SQLite takes a log that was cut short
 * for one whose end was never finished, and goes on without it; beside this mark that is found out. It is written after
 * every commit and not synced: it outlives the process, and after a power failure it may be old, which does no harm,
 * but never ahead of the log.
 */
export class AcknowledgedMark {
  readonly #handle: number
  #isOpen = true

  constructor(file: string) {
    const flags = constants.O_RDWR | constants.O_CREAT
    this.#handle = openSync(markFileOf(file), flags, filePermissions)
  }

  /** 0: nothing is known. */
  read(): number {
    const bytes = Buffer.alloc(width)
    const length = readSync(this.#handle, bytes, 0, width, 0)
    const text = bytes.toString('utf8', 0, length)
    return /^\d+\n$/.test(text) && length === width ? Number(text) : 0
  }

  /** On a full disk it stays as it is. */
  write(revision: number): void {
    if (!this.#isOpen) return
    try {
      writeSync(this.#handle, `${String(revision).padStart(width - 1, '0')}\n`, 0)
    } catch {
      // An old mark is one that finds less.
    }
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#handle)
    this.#isOpen = false
  }
}
