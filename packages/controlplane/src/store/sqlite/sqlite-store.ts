import { statSync } from 'node:fs'
import { join } from 'node:path'

import type { Logger } from '../../logger.ts'
import { StoreUnusable, type Batch, type Loaded, type Store } from '../store.ts'
import { AcknowledgedMark } from './acknowledged-mark.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { encodeBatch } from './encoded-batch.ts'
import { lostEnd } from './errors.ts'
import { databaseFileName, openLocally, type LocalConnection } from './local-connection.ts'
import { migrations as allMigrations, type Migration } from './migrations.ts'
import { ThreadConnection } from './thread/thread-connection.ts'

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
  /** A database that has grown to this size is written by a thread of its own. */
  readonly threadBytes?: number
  /** Called when it has, whether it was opened like that or has grown. */
  readonly onLarge?: () => void
  readonly migrations?: readonly Migration[]
  readonly pid?: number
}

const mebibyte = 1024 * 1024

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/**
 * Opens the data for this process alone. Errors: BulkheadError `conflict` when another process uses it,
 * StoreUnusable, StoreFull.
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  return new SqliteStore(options)
}

/**
 * The store in one SQLite file. A small one is written by the thread that everything else is on, which needs the
 * least memory. Once it is large, a thread of its own writes it: there is so much to write then that everything else
 * would have to wait for it.
 */
export class SqliteStore implements Store {
  readonly #options: ConnectionOptions
  readonly #threadBytes: number
  readonly #logger: Pick<Logger, 'warn'>
  readonly #onFailure: (error: unknown) => void
  readonly #onLarge: () => void
  readonly #file: string
  readonly #mark: AcknowledgedMark
  /** Null: in a thread of its own. */
  #local: LocalConnection | null
  #connection: Connection
  /** What the connection is doing beside commits; it is not replaced meanwhile. */
  #busy = 0
  /** While the connection is being replaced, everybody waits. */
  #moving: Promise<void> | null = null
  #mayMove = true

  constructor(options: SqliteStoreOptions) {
    const { directory, logger, threadBytes = 64 * mebibyte } = options
    const { checkpointBytes = 64 * mebibyte, truncateBytes = 256 * mebibyte } = options
    const { maxEventsLoaded = 10_000, pid = process.pid, migrations = allMigrations } = options
    this.#options = { directory, migrations, pid, maxEventsLoaded, checkpointBytes, truncateBytes }
    this.#threadBytes = threadBytes
    this.#logger = logger
    this.#onLarge = options.onLarge ?? (() => {})
    this.#onFailure = (error) =>
      logger.warn({ err: error }, 'the write-ahead log could not be written back')
    this.#file = join(directory, databaseFileName)
    this.#local = openLocally({ ...this.#options, onFailure: this.#onFailure })
    this.#connection = this.#local
    this.#mark = new AcknowledgedMark(this.#file)
  }

  /** Checks the whole file first; the records are checked one by one as they are read. */
  async load(): Promise<Loaded> {
    await this.#moving
    if (this.#local === null) await this.#move(async () => this.#openHere())
    if (this.#local === null) throw new Error('The store is closed')
    const loaded = await this.#local.load()
    const acknowledged = this.#mark.read()
    if (loaded.revision < acknowledged) throw lostEnd(this.#file, loaded.revision, acknowledged)
    return loaded
  }

  async commit(batch: Batch): Promise<void> {
    const encoded = encodeBatch(batch)
    if (this.#hasOutgrown()) await this.#move(() => this.#openThread())
    await this.#moving
    await this.#connection.commit(encoded)
    this.#mark.write(batch.revision)
  }

  async pruneEvents(keep: number): Promise<number> {
    return this.#beside((connection) => connection.pruneEvents(keep))
  }

  async backup(file: string): Promise<void> {
    await this.#beside((connection) => connection.backup(file))
  }

  /** Bytes on the disk, for an alarm before it is full. */
  sizes(): { readonly databaseBytes: number; readonly logBytes: number } {
    return { databaseBytes: sizeOf(this.#file), logBytes: sizeOf(`${this.#file}-wal`) }
  }

  async close(): Promise<void> {
    await this.#moving
    this.#mayMove = false
    await this.#connection.close()
    this.#mark.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #beside<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    await this.#moving
    this.#busy++
    try {
      return await work(this.#connection)
    } finally {
      this.#busy--
    }
  }

  #hasOutgrown(): boolean {
    if (this.#local === null || !this.#mayMove || this.#busy > 0 || this.#moving !== null)
      return false
    return sizeOf(this.#file) >= this.#threadBytes
  }

  async #move(open: () => Promise<void>): Promise<void> {
    this.#moving = this.#replace(open)
    try {
      await this.#moving
    } finally {
      this.#moving = null
    }
  }

  /** Two connections cannot be open at once: another process that comes in between is found out by its lock. */
  async #replace(open: () => Promise<void>): Promise<void> {
    await this.#connection.close()
    await open()
  }

  #openHere(): void {
    try {
      this.#local = openLocally({ ...this.#options, onFailure: this.#onFailure })
      this.#connection = this.#local
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new StoreUnusable(`the database could not be opened again: ${why}`, { cause: error })
    }
  }

  /** Where there is no room for a thread, this one goes on. */
  async #openThread(): Promise<void> {
    this.#local = null
    this.#onLarge()
    try {
      this.#connection = await ThreadConnection.open(this.#options, this.#onFailure)
    } catch (error) {
      this.#mayMove = false
      this.#logger.warn(
        { err: error },
        'the database has grown large, and no thread of its own could be started for it',
      )
      this.#openHere()
    }
  }
}
