import { readlinkSync } from 'node:fs'
import { rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { startTime } from '../../node/process-time.ts'

/** A process, told from later ones with the same id by the time at which it began. */
export interface ProcessIdentity {
  readonly pid: number
  readonly started: string
}

export function identify(pid: number): ProcessIdentity | null {
  const started = startTime(pid)
  return started === null ? null : { pid, started }
}

const textOf = ({ pid, started }: ProcessIdentity): string => `${pid} ${started}`

/** Names the process that serves, and no other may: a link, because that needs no room on a disk that is full. */
const markIn = (directory: string): string => join(directory, 'process')

/**
 * What the mark in a directory says of a process: it is named, or another one is, or nobody is. Null when it cannot be
 * told, as on a disk that fails.
 */
export function markOf(
  directory: string,
  process: ProcessIdentity,
): 'own' | 'another' | 'none' | null {
  try {
    return readlinkSync(markIn(directory)) === textOf(process) ? 'own' : 'another'
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return isMissing ? 'none' : null
  }
}

/** The process that is named, while it lives. */
export function marked(directory: string): ProcessIdentity | null {
  try {
    const [pid = '', started = ''] = readlinkSync(markIn(directory)).split(' ')
    return started !== '' && startTime(Number(pid)) === started
      ? { pid: Number(pid), started }
      : null
  } catch {
    return null
  }
}

export async function mark(directory: string, process: ProcessIdentity): Promise<void> {
  const path = markIn(directory)
  await rm(`${path}.new`, { force: true })
  await symlink(textOf(process), `${path}.new`)
  await rename(`${path}.new`, path)
}

export const unmark = (directory: string): Promise<void> => rm(markIn(directory), { force: true })
