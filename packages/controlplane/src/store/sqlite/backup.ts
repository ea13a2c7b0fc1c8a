import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

import { BulkheadError } from '@bulkhead/shared'
import Database from 'better-sqlite3'

import { damage } from './errors.ts'
import { syncDirectory } from './open-database.ts'

/** Pages copied between two looks at other work: about 4 MB. */
const pagesPerStep = 1_000

/**
 * Copies the database to `file` while it is in use. The copy is checked and synced before it gets its name, so
 * that there is a whole backup or none; a file that exists is never overwritten.
 */
export async function backupDatabase(db: Database.Database, file: string): Promise<void> {
  if (existsSync(file)) throw exists(file)
  const partial = `${file}.partial`
  rmSync(partial, { force: true })
  try {
    closeSync(openSync(partial, 'wx', 0o600))
    await db.backup(partial, { progress: () => pagesPerStep })
    makeSingleFile(partial)
    syncFile(partial)
    linkSync(partial, file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw exists(file)
    throw error
  } finally {
    rmSync(partial, { force: true })
  }
  syncDirectory(dirname(file))
}

/** Without a log beside it the copy is one file, whole by itself. */
function makeSingleFile(file: string): void {
  const copy = new Database(file)
  try {
    copy.pragma('journal_mode = DELETE')
    const verdict = copy.pragma('quick_check(1)', { simple: true })
    if (verdict !== 'ok') throw damage(file, `the copy is not sound: ${String(verdict)}`)
  } finally {
    copy.close()
  }
  chmodSync(file, 0o600)
}

function syncFile(file: string): void {
  const handle = openSync(file, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function exists(file: string): BulkheadError {
  return new BulkheadError(
    'conflict',
    `${file} exists already`,
    'A backup never overwrites a file: choose another name',
  )
}
