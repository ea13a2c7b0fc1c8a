import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

import { BulkheadError } from '@bulkhead/shared'
import Database from 'better-sqlite3'

import { codeOf, damage, storeError } from './errors.ts'
import { migrate } from './migrate.ts'
import type { Migration } from './migrations.ts'

/** So much of the file is kept in memory when it is that large: pages of the index are written again and again. */
const cacheKiB = 128 * 1024

/** Names who uses the data, for people; the lock itself is SQLite's and ends with the process. */
export const holderFileOf = (file: string): string => `${file}.pid`

export interface OpenOptions {
  readonly file: string
  readonly migrations: readonly Migration[]
  readonly pid: number
  /** The write-ahead log does not stay larger than this. */
  readonly journalLimitBytes: number
}

/**
 * Opens the one connection that there is, with the data locked for this process for as long as it is open.
 * Errors: BulkheadError `conflict` when another process has the data, StoreUnusable, StoreFull.
 */
export function openDatabase(options: OpenOptions): Database.Database {
  const { file } = options
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  createFile(file)
  let db: Database.Database | null = null
  try {
    db = new Database(file, { timeout: 1_000 })
    configure(db, options)
    migrate(db, options.migrations)
  } catch (error) {
    db?.close()
    if (codeOf(error).startsWith('SQLITE_BUSY')) throw inUse(file)
    throw storeError(error, file)
  }
  writeFileSync(holderFileOf(file), `${options.pid}\n`, { mode: 0o600 })
  syncDirectory(dirname(file))
  return db
}

function configure(db: Database.Database, { journalLimitBytes }: OpenOptions): void {
  // Before the first access, so that the lock is taken with it and kept.
  db.pragma('locking_mode = EXCLUSIVE')
  const mode = db.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal') throw new Error(`SQLite cannot keep a write-ahead log here (${String(mode)})`)
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  db.pragma('trusted_schema = OFF')
  db.pragma('cell_size_check = ON')
  db.pragma(`cache_size = -${cacheKiB}`)
  db.pragma('wal_autocheckpoint = 0')
  db.pragma(`journal_size_limit = ${journalLimitBytes}`)
  db.exec('BEGIN IMMEDIATE; COMMIT')
}

/** SQLite would create the file readable for everyone; its log gets the mode of the file. */
function createFile(file: string): void {
  if (existsSync(file) && statSync(file).size > 0) {
    chmodSync(file, 0o600)
    return
  }
  if (existsSync(holderFileOf(file))) {
    throw damage(file, 'the file is missing or empty, although it has been in use before')
  }
  if (!existsSync(file)) closeSync(openSync(file, 'wx', 0o600))
  chmodSync(file, 0o600)
}

function inUse(file: string): BulkheadError {
  const holderFile = holderFileOf(file)
  const pid = existsSync(holderFile) ? readFileSync(holderFile, 'utf8').trim() : ''
  return new BulkheadError(
    'conflict',
    `${file} is in use by ${pid === '' ? 'another process' : `process ${pid}`}`,
    'Only one control plane may use a data directory: stop the other one, or choose another directory',
  )
}

/** Makes the names of new files survive a power loss. */
export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
