import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { waitFor } from './command.ts'
import { findChild, identify, isAlive } from './processes.ts'

/**
 * A machine that is made of namespaces: own processes, network, mounts and name. All its processes
 * die in one instant with the first of them, as in a power failure, and that one dies with us.
 */
export interface Machine {
  /** The id of the machine's first process, as seen from outside. */
  readonly pid: number
  /** Makes a command line run inside the machine. */
  enter(argv: readonly string[], cwd?: string): readonly string[]
  /** Makes a command line run here, but in the machine's network. */
  enterNetwork(argv: readonly string[]): readonly string[]
  isOn(): boolean
  off(): Promise<void>
}

const bootTimeoutMs = 15_000
const offTimeoutMs = 30_000

// The engine keeps its identity in /etc/docker and its sockets and process ids in /run: as on a
// real machine, the first survives a power failure and the second does not. The shell that
// waits for ever reaps the orphans, as the first process must.
const bootScript = `
mount --bind "$1" /etc/docker && mount -t tmpfs -o mode=755 tmpfs /run &&
  echo "$2" >/proc/sys/kernel/hostname && echo ready || exit 1; sleep infinity & wait`

async function waitForReady(init: ChildProcess, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let errors = ''
  init.stderr?.on('data', (data) => (errors += data))
  init.stdout?.once('data', () => resolve())
  init.once('error', reject)
  init.once('exit', () => reject(new Error(`machine ${name} did not start: ${errors.trim()}`)))
  const timer = setTimeout(
    () => reject(new Error(`waited ${bootTimeoutMs} ms for machine ${name} to start`)),
    bootTimeoutMs,
  )
  try {
    await promise
  } finally {
    clearTimeout(timer)
  }
}

/** Starts a machine without a network connection. Keeps what survives it in `directory`. */
export async function startMachine(name: string, directory: string): Promise<Machine> {
  const configuration = join(directory, 'etc')
  mkdirSync(configuration, { recursive: true })
  mkdirSync('/etc/docker', { recursive: true })
  const namespaces = [
    '--mount',
    '--net',
    '--pid',
    '--uts',
    '--mount-proc',
    '--propagation',
    'slave',
  ]
  const unshare = ['unshare', '--fork', '--kill-child=KILL', ...namespaces]
  const boot = ['sh', '-c', bootScript, 'init', configuration, name]
  const init = spawn('setpriv', ['--pdeathsig', 'KILL', ...unshare, ...boot], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  })
  const gone = once(init, 'exit')
  try {
    await waitForReady(init, name)
  } catch (error) {
    init.kill('SIGKILL')
    throw error
  }
  const parent = init.pid ?? 0
  const pid = await waitFor(`the first process of ${name}`, bootTimeoutMs, () => findChild(parent))
  const identity = identify(pid) ?? ''
  const target = ['nsenter', '--target', `${pid}`]
  const inside = [...target, '--mount', '--net', '--pid', '--uts', 'sh', '-c']
  return {
    pid,
    enter: (argv, cwd = '/') => [...inside, 'cd "$0" && exec "$@"', cwd, ...argv],
    enterNetwork: (argv) => [...target, '--net', ...argv],
    isOn: () => isAlive(identity),
    async off() {
      if (isAlive(identity)) process.kill(pid, 'SIGKILL')
      await waitFor(`the processes of ${name} to end`, offTimeoutMs, () => !isAlive(identity))
      await gone
    },
  }
}
