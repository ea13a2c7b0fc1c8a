import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { BulkheadError } from '@bulkhead/shared'

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
  const mine = `${process.pid} ${startTime(process.pid) ?? ''}\n`
  const prepared = join(data, `lock.${randomUUID()}`)
  await writeFile(prepared, mine, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < tries; attempt++) {
      // A link is made whole or not at all, and by one process only.
      if (await tryLink(prepared, path)) return { release: () => releaseLock(path, mine) }
      const holder = await readFile(path, 'utf8').catch(() => '')
      if (isHeld(holder)) throw heldBy(data, holder)
      const stale = `${prepared}.stale`
      await rename(path, stale).catch(() => {})
      await rm(stale, { force: true })
    }
    throw heldBy(data, '')
  } finally {
    await rm(prepared, { force: true })
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function isHeld(holder: string): boolean {
  const [pid = '', started = ''] = holder.trim().split(' ')
  return pid !== '' && startTime(Number(pid)) === started
}

/** Ticks since boot at which a process began; null when there is no such process. */
function startTime(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may contain anything; the fields after it are plain.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}

async function releaseLock(path: string, mine: string): Promise<void> {
  const holder = await readFile(path, 'utf8').catch(() => '')
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
