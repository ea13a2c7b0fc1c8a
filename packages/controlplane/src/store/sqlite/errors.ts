import Database from 'better-sqlite3'

import { StoreFull, StoreUnusable } from '../store.ts'
import { markFileOf } from './acknowledged-mark.ts'

/** No room, or a file system that takes no writes: SQLite has rolled back, later it may work again. */
const refused = /^SQLITE_(FULL|IOERR_WRITE|IOERR_TRUNCATE|READONLY.*|PERM)$/
/** After a failed sync nobody knows what is on the disk, so that counts as damage. */
const damaged =
  /^SQLITE_(CORRUPT.*|NOTADB|IOERR_FSYNC|IOERR_DIR_FSYNC|IOERR_SHORT_READ|IOERR_DATA)$/

export const restoreAdvice = (file: string): string =>
  `stop the control plane, move ${file}, ${file}-wal and ${markFileOf(file)} away, and put a backup in the place of ${file}`

export const codeOf = (error: unknown): string =>
  error instanceof Database.SqliteError ? error.code : ''

/** SQLite's errors as those of the store; other errors stay as they are. */
export function storeError(error: unknown, file: string): unknown {
  const code = codeOf(error)
  if (!(error instanceof Error) || code === '') return error
  if (refused.test(code)) {
    return new StoreFull(`${file} cannot be written: ${error.message} (${code})`, { cause: error })
  }
  if (damaged.test(code)) return damage(file, `${error.message} (${code})`, error)
  return error
}

/** What was acknowledged is not there: the log has lost its end. */
export function lostEnd(file: string, revision: number, acknowledged: number): StoreUnusable {
  return damage(
    file,
    `it ends at revision ${revision}, but revision ${acknowledged} was acknowledged: the end of its log, ${file}-wal, is missing or damaged`,
  )
}

/** The file is damaged: what is, and what to do. */
export function damage(file: string, what: string, cause?: unknown): StoreUnusable {
  return new StoreUnusable(`${file} is damaged: ${what}. To go on, ${restoreAdvice(file)}`, {
    cause,
  })
}
