import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { BulkheadError } from '@bulkhead/shared/client'

import { checkBackup } from './check.ts'

const privateFolder = 0o700
const privateFile = 0o600
const busy = 5

/** The control plane keeps its file locked for as long as it runs. */
function refuseWhileInUse(file: string, data: string): void {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  try {
    const db = new DatabaseSync(file)
    try {
      db.exec('BEGIN IMMEDIATE; ROLLBACK')
    } finally {
      // The last one to close it also writes its log back into the file.
      db.close()
    }
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== busy) return
    const advice = 'stop it, then restore'
    throw new BulkheadError('conflict', `${data}: a control plane is running on it`, advice)
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Puts a backup into the data directory of a control plane that does not run. What was there is kept beside
 * it, and only replaced with `force`. Returns the path of what was kept, or null.
 */
export async function restoreBackup(
  backup: string,
  data: string,
  force: boolean,
): Promise<string | null> {
  checkBackup(backup)
  const folder = join(data, 'store')
  const file = join(folder, 'bulkhead.db')
  const isThere = existsSync(file)
  if (isThere) refuseWhileInUse(file, data)
  if (isThere && !force) {
    const advice = 'add --force to replace it; it is kept beside the new one'
    throw new BulkheadError('conflict', `${data}: it already has a state`, advice)
  }
  await mkdir(folder, { recursive: true, mode: privateFolder })
  const partial = `${file}.restoring`
  const kept = isThere ? `${file}.before-restore` : null
  try {
    await copyFile(backup, partial)
    await chmod(partial, privateFile)
    await sync(partial)
    if (kept !== null) await rename(file, kept)
    for (const suffix of ['-wal', '-shm', '.acknowledged']) await rm(`${file}${suffix}`, { force: true })
    await rename(partial, file)
    await sync(folder)
  } finally {
    await rm(partial, { force: true })
  }
  return kept
}
