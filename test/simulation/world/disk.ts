import type { JournalStorage } from '../../../packages/agent/src/index.ts'
import type { Random } from '../random.ts'
import type { Process } from './process.ts'

/** A file on a machine's disk: a killed process loses nothing that it wrote, a machine what was not synced. */
export class Disk {
  readonly #random: Random
  /** What was appended since it was last read lies beside it. */
  #written: Buffer | null = null
  #appended: Buffer[] = []
  #syncedBytes = 0
  full = false
  /** How often a damaged file was set aside. */
  setAside = 0

  constructor(random: Random) {
    this.#random = random
  }

  get bytes(): number {
    return this.#appended.reduce((sum, { length }) => sum + length, this.#written?.length ?? 0)
  }

  read(): Buffer | null {
    if (this.#appended.length > 0) {
      this.#written = Buffer.concat([this.#written ?? Buffer.alloc(0), ...this.#appended])
      this.#appended = []
    }
    return this.#written
  }

  append(data: Buffer, sync: boolean): void {
    const kept = this.full ? data.subarray(0, this.#random.integer(0, data.length - 1)) : data
    this.#appended.push(kept)
    if (this.full)
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    if (sync) this.#syncedBytes = this.bytes
  }

  replace(data: Buffer): void {
    if (this.full)
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    this.#written = data
    this.#appended = []
    this.#syncedBytes = data.length
  }

  moveAway(): void {
    this.setAside += 1
    this.wipe()
  }

  wipe(): void {
    this.#written = null
    this.#appended = []
    this.#syncedBytes = 0
  }

  /** The writing process was killed in the middle of an append. */
  appendPart(data: Buffer): void {
    this.#appended.push(data.subarray(0, this.#random.integer(0, data.length)))
  }

  losePower(): void {
    const written = this.read()
    if (written === null) return
    this.#written = written.subarray(0, this.#random.integer(this.#syncedBytes, written.length))
    this.#syncedBytes = this.#written.length
  }
}

/** The journal's storage of one agent process. */
export function journalOn(disk: Disk, process: Process): JournalStorage {
  const takesMs = (): number => process.host.takesMs(0.2, 4)
  let writing: Buffer | null = null
  process.onDeath(() => {
    if (writing) disk.appendPart(writing)
  })
  const guarded = <T>(work: () => T): (() => T) => {
    return () => {
      if (process.alive) return work()
      throw new Error('the process is gone')
    }
  }
  return {
    read: () => process.ask('journal read', takesMs(), () => disk.read(), 0),
    append(data, sync) {
      writing = data
      return process.ask(
        'journal append',
        takesMs(),
        guarded(() => {
          writing = null
          disk.append(data, sync)
        }),
        takesMs(),
      )
    },
    replace: (data) =>
      process.ask(
        'journal replace',
        takesMs(),
        guarded(() => disk.replace(data)),
        takesMs(),
      ),
    async setAside(suffix) {
      await process.ask(
        'journal set aside',
        takesMs(),
        guarded(() => disk.moveAway()),
        0,
      )
      return `journal.${suffix}`
    },
    close: async () => {},
  }
}
