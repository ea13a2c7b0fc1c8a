import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { ClusterEvent } from '@bulkhead/shared'
import type { Database, Statement } from 'better-sqlite3'

import type { Logger } from '../../logger.ts'
import {
  StoreConflict,
  StoreFull,
  type Batch,
  type Loaded,
  type Store,
  type StoredRecord,
} from '../store.ts'
import { backupDatabase } from './backup.ts'
import { Checkpointer } from './checkpointer.ts'
import { damage, storeError } from './errors.ts'
import { migrations as allMigrations, type Migration } from './migrations.ts'
import { openDatabase } from './open-database.ts'
import { checksum, decodeRow, type RecordRow } from './rows.ts'

export interface SqliteStoreOptions {
  /** Created with mode 0700 when it does not exist; for this store alone. */
  readonly directory: string
  /** Hears of what does not fail a commit: a checkpoint that could not be made. */
  readonly logger: Pick<Logger, 'warn'>
  readonly maxEventsLoaded?: number
  /** The write-ahead log is written back from this size on … */
  readonly checkpointBytes?: number
  /** … and from this size on it is made short again. */
  readonly truncateBytes?: number
  readonly migrations?: readonly Migration[]
  readonly pid?: number
}

/** A backup is put in its place under this name. */
export const databaseFileName = 'bulkhead.db'

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** Events dropped in one transaction: short enough that nobody notices. */
const pruneRows = 1_000

/**
 * Opens the data for this process alone. Errors: BulkheadError `conflict` when another process uses it,
 * StoreUnusable, StoreFull.
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { directory, logger, maxEventsLoaded = 10_000 } = options
  const { checkpointBytes = 64 * 1024 * 1024, truncateBytes = 256 * 1024 * 1024 } = options
  const db = openDatabase({
    file: join(directory, databaseFileName),
    migrations: options.migrations ?? allMigrations,
    pid: options.pid ?? process.pid,
    journalLimitBytes: truncateBytes,
  })
  const onFailure = (error: unknown): void =>
    logger.warn({ err: error }, 'the write-ahead log could not be written back')
  const checkpointer = new Checkpointer({ db, onFailure, checkpointBytes, truncateBytes })
  return new SqliteStore(db, checkpointer, maxEventsLoaded)
}

/** The store in one SQLite file. Commits are synchronous: when the promise is there, the disk has it. */
export class SqliteStore implements Store {
  readonly #db: Database
  readonly #checkpointer: Checkpointer
  readonly #maxEventsLoaded: number
  readonly #advance: Statement<[number, number]>
  readonly #put: Statement<[string, string, string, number, number]>
  readonly #delete: Statement<[string, string]>
  readonly #addEvent: Statement<[number, string]>
  readonly #write: (batch: Batch) => void

  constructor(db: Database, checkpointer: Checkpointer, maxEventsLoaded: number) {
    this.#db = db
    this.#checkpointer = checkpointer
    this.#maxEventsLoaded = maxEventsLoaded
    this.#advance = db.prepare(`UPDATE meta SET value = ? WHERE key = 'revision' AND value = ?`)
    this.#put = db.prepare(
      `INSERT INTO records (kind, key, value, revision, sum) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (kind, key) DO UPDATE
       SET value = excluded.value, revision = excluded.revision, sum = excluded.sum`,
    )
    this.#delete = db.prepare('DELETE FROM records WHERE kind = ? AND key = ?')
    this.#addEvent = db.prepare('INSERT INTO events (revision, value) VALUES (?, ?)')
    const write = db.transaction((batch: Batch) => this.#writeRows(batch))
    this.#write = (batch) => write.immediate(batch)
  }

  /** Checks the whole file first; the records are checked one by one as they are read. */
  async load(): Promise<Loaded> {
    return this.#translated(() => {
      const verdict = this.#db.pragma('quick_check(1)', { simple: true })
      if (verdict !== 'ok') throw damage(this.#db.name, String(verdict).replaceAll('\n', ' '))
      return { revision: this.#revision(), records: this.#records(), events: this.#events() }
    })
  }

  async commit(batch: Batch): Promise<void> {
    try {
      this.#translated(() => this.#write(batch))
    } catch (error) {
      if (!(error instanceof StoreFull)) throw error
      // Room that the log takes up can be had back; if that is not enough, nothing was written.
      this.#checkpointer.checkpoint('TRUNCATE')
      this.#translated(() => this.#write(batch))
    }
    this.#checkpointer.afterCommit()
  }

  async pruneEvents(keep: number): Promise<number> {
    // Ids have no gaps: events are only ever added at the end and dropped at the beginning.
    const bounds = this.#db.prepare<[], { first: number | null; last: number }>(
      'SELECT min(id) AS first, max(id) AS last FROM events',
    )
    const drop = this.#db.prepare<[number]>('DELETE FROM events WHERE id < ?')
    const { first, last } = bounds.get() ?? { first: null, last: 0 }
    if (first === null) return 0
    const end = last - keep + 1
    let dropped = 0
    for (let at = first; at < end && this.#db.open; at += pruneRows) {
      dropped += this.#translated(() => drop.run(Math.min(at + pruneRows, end))).changes
      this.#checkpointer.afterCommit()
      await nextTurn()
    }
    return dropped
  }

  async backup(file: string): Promise<void> {
    try {
      await backupDatabase(this.#db, file)
    } catch (error) {
      throw storeError(error, file)
    }
  }

  /** Bytes on the disk, for an alarm before it is full. */
  sizes(): { readonly databaseBytes: number; readonly logBytes: number } {
    return { databaseBytes: sizeOf(this.#db.name), logBytes: sizeOf(`${this.#db.name}-wal`) }
  }

  async close(): Promise<void> {
    if (!this.#db.open) return
    this.#checkpointer.stop()
    this.#checkpointer.checkpoint('TRUNCATE')
    this.#db.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #writeRows({ expected, revision, changes, events }: Batch): void {
    if (this.#advance.run(revision, expected).changes !== 1) {
      throw new StoreConflict(
        `${this.#db.name} is at revision ${this.#revision()}, not at ${expected}: somebody else has written to it`,
      )
    }
    for (const { kind, key, value } of changes) {
      if (value === null) {
        this.#delete.run(kind, key)
        continue
      }
      const text = JSON.stringify(value)
      this.#put.run(kind, key, text, revision, checksum(kind, key, text))
    }
    for (const event of events) this.#addEvent.run(event.revision, JSON.stringify(event))
  }

  #revision(): number {
    const found = this.#db
      .prepare<[], number>(`SELECT value FROM meta WHERE key = 'revision'`)
      .pluck()
      .get()
    if (found === undefined) throw damage(this.#db.name, 'the revision is missing')
    return found
  }

  /** In the order of creation, which is also that of the pages. */
  *#records(): Generator<StoredRecord, undefined> {
    const rows = this.#db
      .prepare<[], RecordRow>('SELECT kind, key, value, sum FROM records')
      .raw()
      .iterate()
    try {
      for (const row of rows) yield decodeRow(row, this.#db.name)
    } catch (error) {
      throw storeError(error, this.#db.name)
    }
    return undefined
  }

  #events(): readonly ClusterEvent[] {
    const texts = this.#db
      .prepare<[number], string>('SELECT value FROM events ORDER BY id DESC LIMIT ?')
      .pluck()
      .all(this.#maxEventsLoaded)
    try {
      return texts.toReversed().map((text) => JSON.parse(text) as ClusterEvent)
    } catch (error) {
      throw damage(this.#db.name, 'an event cannot be decoded', error)
    }
  }

  #translated<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      throw storeError(error, this.#db.name)
    }
  }
}
