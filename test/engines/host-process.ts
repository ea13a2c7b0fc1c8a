import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

import { waitFor } from './command.ts'
import { withLog } from './logs.ts'
import type { Machine } from './machine.ts'
import { findChild } from './processes.ts'

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process inside a host, or outside on the side of the control plane. */
export interface HostProcess {
  /** Its id as seen from outside the hosts. */
  readonly pid: number
  readonly exited: Promise<ProcessEnd>
  /** Undefined while it runs. */
  readonly end: ProcessEnd | undefined
  /** Where its output goes. */
  readonly logPath: string
  /** All that it has written so far to its standard output and error. */
  output(): string
  /** Sends it a signal, SIGTERM by default; does nothing when it has ended. */
  kill(signal?: NodeJS.Signals): void
}

/** Settings of a process. */
export interface ExecOptions {
  readonly cwd?: string
  /** Added to PATH, HOME and LANG; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>
}

const startTimeoutMs = 10_000

function baseEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '/root' } = process.env
  return { PATH: `${PATH}:/usr/sbin:/sbin`, HOME, LANG: 'C.UTF-8' }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ESRCH'
    if (!gone) throw error
  }
}

interface Spawned {
  readonly pid: number
  readonly exited: Promise<ProcessEnd>
  readonly end: ProcessEnd | undefined
}

function spawnLogged(argv: readonly string[], logPath: string, options: ExecOptions): Spawned {
  const [command = '', ...rest] = argv
  const env = { ...baseEnvironment(), ...options.env }
  const child = withLog(logPath, (fd) =>
    spawn(command, rest, { env, cwd: options.cwd, stdio: ['ignore', fd, fd] }),
  )
  let end: ProcessEnd | undefined
  const { promise: exited, resolve, reject } = Promise.withResolvers<ProcessEnd>()
  child.once('error', reject)
  child.once('exit', (code, signal) => {
    end = { code, signal }
    resolve(end)
  })
  return {
    pid: child.pid ?? 0,
    exited,
    get end() {
      return end
    },
  }
}

function describe(spawned: Spawned, pid: number, logPath: string): HostProcess {
  return {
    pid,
    logPath,
    exited: spawned.exited,
    get end() {
      return spawned.end
    },
    output: () => readFileSync(logPath, 'utf8'),
    kill(signal = 'SIGTERM') {
      if (spawned.end !== undefined || pid === 0) return
      signalProcess(pid, signal)
      // What entered the namespaces stops itself when its child is stopped, and hears of no end until it goes on.
      if (signal === 'SIGCONT' || signal === 'SIGKILL') signalProcess(spawned.pid, 'SIGCONT')
    },
  }
}

/** Starts a process inside a machine and returns once it runs. */
export async function startProcess(
  machine: Machine,
  argv: readonly string[],
  logPath: string,
  options: ExecOptions = {},
): Promise<HostProcess> {
  const { cwd = process.cwd(), ...others } = options
  const spawned = spawnLogged(machine.enter(argv, cwd), logPath, others)
  // The process is a child of the one that enters the namespaces, which forwards no signals.
  const findInner = () => (spawned.end === undefined ? findChild(spawned.pid) : 0)
  const pid = await Promise.race([
    waitFor(`${argv[0]} to start in the host`, startTimeoutMs, findInner),
    spawned.exited.then(() => 0),
  ])
  return describe(spawned, pid, logPath)
}

/** Starts a process outside the hosts; it dies with us at the latest. */
export function startOutside(
  argv: readonly string[],
  logPath: string,
  options: ExecOptions = {},
): HostProcess {
  const spawned = spawnLogged(['setpriv', '--pdeathsig', 'KILL', ...argv], logPath, options)
  return describe(spawned, spawned.pid, logPath)
}
