import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { type Clock, sleep } from '@bulkhead/shared'

import { identify, marked, type ProcessIdentity, unmark } from './identity.ts'
import type { Program } from './program.ts'

export const namesDirectory = (data: string): string => resolve(data, 'names')
export const socketOf = (directory: string, { pid }: ProcessIdentity): string =>
  join(directory, `${pid}.sock`)

const maxLogBytes = 64 * 1024
const pollMs = 20
/** What it owes is answered within a second. */
const killAfterMs = 1500

const logIn = (directory: string): string => join(directory, 'log')

/** Starts a name server that lives on when this process ends. */
export async function startProcess(directory: string, program: Program): Promise<ProcessIdentity> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await limitLog(directory)
  const output = openSync(logIn(directory), 'a', 0o600)
  const child = spawn(program.command, program.argv, {
    cwd: directory,
    detached: true,
    // What this process was started with is not meant for it.
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const spawned = Promise.withResolvers<void>()
  child.once('spawn', spawned.resolve)
  child.once('error', spawned.reject)
  await spawned.promise
  child.unref()
  const identity = identify(child.pid ?? 0)
  if (identity === null) throw new Error(`it ended at once: ${await lastWords(directory)}`)
  return identity
}

const isAlive = ({ pid, started }: ProcessIdentity): boolean => identify(pid)?.started === started

/** Ends a process; one that does not end in time is killed. */
export async function endProcess(clock: Clock, process: ProcessIdentity): Promise<void> {
  const since = clock.monotonicMs()
  kill(process, 'SIGTERM')
  while (isAlive(process)) {
    if (clock.monotonicMs() - since > killAfterMs) kill(process, 'SIGKILL')
    await sleep(clock, pollMs)
  }
}

/** Ends the one that a data directory has, with everything that is kept of it. */
export async function endNames(clock: Clock, directory: string): Promise<void> {
  const process = marked(directory)
  if (process !== null) await endProcess(clock, process)
  await unmark(directory)
  await removeSockets(directory, null)
}

/** Of processes that were killed. */
export async function removeSockets(directory: string, but: ProcessIdentity | null): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  const stale = names.filter((name) => name.endsWith('.sock') && name !== `${but?.pid}.sock`)
  for (const name of stale) await rm(join(directory, name), { force: true })
}

/** The last lines that it has written. */
export async function lastWords(directory: string, lines = 5): Promise<string> {
  const text = await readFile(logIn(directory), 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-lines).join('; ')
}

async function limitLog(directory: string): Promise<void> {
  const size = await stat(logIn(directory)).then(
    (found) => found.size,
    () => 0,
  )
  if (size > maxLogBytes) await truncate(logIn(directory))
}

function kill(process: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isAlive(process)) globalThis.process.kill(process.pid, signal)
  } catch {
    // It has ended by itself.
  }
}
