import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { ClusterEvent } from '@bulkhead/shared'
import type { Database, Statement } from 'better-sqlite3'

import { StoreConflict, StoreFull, type Loaded, type StoredRecord } from '../store.ts'
import { backupDatabase } from './backup.ts'
import { Checkpointer } from './checkpointer.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import type { EncodedBatch } from './encoded-batch.ts'
import { damage, storeError } from './errors.ts'
import { openDatabase } from './open-database.ts'
import { checksum, decodeRow, type RecordRow } from './rows.ts'

/** A backup is put in its place under this name. */
export const databaseFileName = 'bulkhead.db'

/** Events dropped in one transaction: short enough that nobody notices. */
const pruneRows = 1_000

export interface LocalOptions extends ConnectionOptions {
  /** Hears of what does not fail a commit: a checkpoint that could not be made. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Opens the data for this process alone. Errors: BulkheadError `conflict` when another process uses it,
 * StoreUnusable, StoreFull.
 */
export function openLocally(options: LocalOptions): LocalConnection {
  const { directory, migrations, pid, truncateBytes } = options
  const db = openDatabase({
    file: join(directory, databaseFileName),
    migrations,
    pid,
    journalLimitBytes: truncateBytes,
  })
  return new LocalConnection(db, new Checkpointer({ db, ...options }), options.maxEventsLoaded)
}

/** The file, opened in this thread. Commits are synchronous: when the promise is there, the disk has it. */
export class LocalConnection implements Connection {
  readonly #db: Database
  readonly #checkpointer: Checkpointer
  readonly #maxEventsLoaded: number
  readonly #advance: Statement<[number, number]>
  readonly #put: Statement<[string, string, string, number, number]>
  readonly #delete: Statement<[string, string]>
  readonly #addEvent: Statement<[number, string]>
  readonly #write: (batch: EncodedBatch) => void

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
    const write = db.transaction((batch: EncodedBatch) => this.#writeRows(batch))
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

  async commit(batch: EncodedBatch): Promise<void> {
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

  async close(): Promise<void> {
    if (!this.#db.open) return
    this.#checkpointer.stop()
    this.#checkpointer.checkpoint('TRUNCATE')
    this.#db.close()
  }

  #writeRows({
    expected,
    revision,
    kinds,
    keys,
    values,
    eventRevisions,
    events,
  }: EncodedBatch): void {
    if (this.#advance.run(revision, expected).changes !== 1) {
      throw new StoreConflict(
        `${this.#db.name} is at revision ${this.#revision()}, not at ${expected}: somebody else has written to it`,
      )
    }
    for (const [index, value] of values.entries()) {
      const kind = kinds[index] ?? ''
      const key = keys[index] ?? ''
      if (value === null) this.#delete.run(kind, key)
      else this.#put.run(kind, key, value, revision, checksum(kind, key, value))
    }
    for (const [index, event] of events.entries())
      this.#addEvent.run(eventRevisions[index] ?? 0, event)
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
