import { randomUUID } from 'node:crypto'
import { readFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { BulkheadError } from '@bulkhead/shared'

import { startTime } from './process-time.ts'

export interface DataLock {
  release(): Promise<void>
}

const tries = 5

/**
 * Claims a data directory for this process. A lock whose process is gone is taken over; process ids are used again,
 * so the process's start time is part of it. Throws `conflict` when another agent is there.
 */
export async function lockData(data: string): Promise<DataLock> {
  const path = join(data, 'lock')
  const mine = `${process.pid} ${startTime(process.pid) ?? ''}`
  for (let attempt = 0; attempt < tries; attempt++) {
    if (await trySymlink(mine, path)) return { release: () => releaseLock(path, mine) }
    const holder = await readHolder(path)
    if (isHeld(holder)) throw heldBy(data, holder)
    const stale = `${path}.${randomUUID()}.stale`
    await rename(path, stale).catch(() => {})
    await rm(stale, { force: true })
  }
  throw heldBy(data, '')
}

/** A symbolic link is made whole or not at all, by one process only, and needs no room on a disk that is full. */
async function trySymlink(text: string, path: string): Promise<boolean> {
  try {
    await symlink(text, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Empty when there is none. It may also be a file, of an older agent. */
const readHolder = (path: string): Promise<string> =>
  readlink(path).catch(() => readFile(path, 'utf8').catch(() => ''))

function isHeld(holder: string): boolean {
  const [pid = '', started = ''] = holder.trim().split(' ')
  return pid !== '' && startTime(Number(pid)) === started
}

async function releaseLock(path: string, mine: string): Promise<void> {
  const holder = await readHolder(path)
  if (holder === mine) await rm(path, { force: true })
}

function heldBy(data: string, holder: string): BulkheadError {
  const [pid = ''] = holder.trim().split(' ')
  const who = pid === '' ? 'another agent' : `another agent (process ${pid})`
  return new BulkheadError(
    'conflict',
    `${who} uses the data directory ${data}`,
    'stop it, or use another directory',
  )
}
