import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

const outputLimitBytes = 1024 * 1024

/** Settings of {@link run}. */
export interface RunOptions {
  readonly input?: string
  readonly timeoutMs?: number
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Runs a command to its end and returns its standard output. Throws with its standard error when
 * it fails, or is not done within `timeoutMs` (30 s).
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input = '', timeoutMs = 30_000, env = process.env } = options
  const [command = '', ...rest] = argv
  const child = spawn(command, rest, { env, timeout: timeoutMs, killSignal: 'SIGKILL' })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => (stdout = `${stdout}${data}`.slice(-outputLimitBytes)))
  child.stderr.on('data', (data) => (stderr = `${stderr}${data}`.slice(-outputLimitBytes)))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.once('error', (cause) => reject(new Error(`${command}: cannot be run`, { cause })))
  child.once('close', (code, signal) => {
    if (code === 0) return resolve(stdout)
    const end = signal === null ? `exit code ${code}` : `${signal} (deadline: ${timeoutMs} ms)`
    return reject(new Error(`${argv.join(' ')}: ${end}: ${stderr.trim()}`))
  })
  return promise
}

/**
 * Calls `probe` until it returns something other than undefined or false, and returns that. Errors
 * count as not yet. Throws after `timeoutMs` with what it waited for and the last error.
 */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  do {
    try {
      const result = await probe()
      if (result !== undefined && result !== false) return result
    } catch (error) {
      cause = error
    }
    await delay(25)
  } while (performance.now() < deadline)
  throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause })
}
