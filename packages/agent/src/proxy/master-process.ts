import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { type Clock, sleep } from '@bulkhead/shared'

import { startTime } from '../node/process-time.ts'
import { masterSocket } from './find-master.ts'

export interface MasterFiles {
  readonly directory: string
  /** Configuration. */
  readonly config: string
  readonly socket: string
  readonly pid: string
  readonly log: string
}

const masterFiles = (directory: string): MasterFiles => ({
  directory,
  config: join(directory, 'haproxy.cfg'),
  socket: join(directory, 'master.sock'),
  pid: join(directory, 'pid'),
  log: join(directory, 'haproxy.log'),
})

const maxLogBytes = 256 * 1024
const pollMs = 20
const killAfterMs = 3000

/** The process of HAProxy's master that a data directory owns: it, and no other, is ever signalled. */
export class MasterProcess {
  readonly files: MasterFiles
  readonly #clock: Clock
  readonly #binary: string

  constructor(deps: { readonly clock: Clock; readonly binary: string }, directory: string) {
    this.files = masterFiles(directory)
    this.#clock = deps.clock
    this.#binary = deps.binary
  }

  /** Its process id while it lives; null when there is none. */
  get pid(): number | null {
    try {
      const [pid = '', started = ''] = readFileSync(this.files.pid, 'utf8').trim().split(' ')
      return started !== '' && startTime(Number(pid)) === started ? Number(pid) : null
    } catch {
      return null
    }
  }

  /** Starts it as a process that lives on when the agent's ends, with what the configuration file says. */
  async start(): Promise<void> {
    const { directory, log, socket } = this.files
    await rm(socket, { force: true })
    const output = openSync(log, 'a', 0o600)
    // Paths relative to its directory, because names of sockets have to be short.
    const argv = ['-W', '-S', `${masterSocket},mode,600`, '-f', 'haproxy.cfg']
    const child = spawn(this.#binary, argv, {
      cwd: directory,
      detached: true,
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    await this.adopt(child.pid ?? 0)
  }

  /** Takes a process as the one that is owned. */
  async adopt(pid: number): Promise<void> {
    await writeFile(this.files.pid, `${pid} ${startTime(pid) ?? ''}\n`, { mode: 0o600 })
  }

  /** Ends one of the processes that it has started, as it tells itself, with its connections. */
  end(worker: number): void {
    kill(worker, 'SIGTERM')
  }

  /** Ends it and everything that it has started. */
  async stop(): Promise<void> {
    const { pid } = this
    if (pid !== null) {
      kill(pid, 'SIGTERM')
      const since = this.#clock.monotonicMs()
      while (this.pid !== null) {
        if (this.#clock.monotonicMs() - since > killAfterMs) kill(pid, 'SIGKILL')
        await sleep(this.#clock, pollMs)
      }
    }
    await rm(this.files.pid, { force: true })
    await rm(this.files.socket, { force: true })
  }

  /** The last lines that it has written. */
  async lastWords(lines = 5): Promise<string> {
    const text = await readFile(this.files.log, 'utf8').catch(() => '')
    return text.trim().split('\n').slice(-lines).join('; ')
  }

  async limitLog(): Promise<void> {
    const { log } = this.files
    const size = await stat(log).then(
      (found) => found.size,
      () => 0,
    )
    if (size > maxLogBytes) await truncate(log)
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}
