import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { StartProblem } from './problem.ts'

export const launcher = fileURLToPath(new URL('../../bulkhead', import.meta.url))

/** A long-running part of Bulkhead, its output in a file. */
export interface Program {
  readonly log: string
  /** Throws StartProblem when it has ended. */
  assertRunning(): void
  /** SIGTERM, and SIGKILL when that takes too long. */
  stop(timeoutMs?: number): Promise<void>
}

export function startProgram(name: string, argv: readonly string[], directory: string): Program {
  const log = join(directory, `${name}.log`)
  const file = openSync(log, 'a')
  // A group of its own: Ctrl-C is for this script, which then ends everything in order.
  const child: ChildProcess = spawn(launcher, argv, { stdio: ['ignore', file, file], detached: true })
  closeSync(file)
  let ended = false
  const exited = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  return {
    log,
    assertRunning() {
      if (!ended) return
      const tail = readFileSync(log, 'utf8').trim().split('\n').slice(-3).join('\n  ')
      throw new StartProblem(`${name} has ended`, `its last words were:\n  ${tail}`, `see ${log}`)
    },
    async stop(timeoutMs = 10_000) {
      if (!ended) child.kill('SIGTERM')
      await Promise.race([exited, delay(timeoutMs, undefined, { ref: false })])
      if (!ended) child.kill('SIGKILL')
    },
  }
}

/** Runs the command line to its end with our terminal; resolves with its exit code. */
export function runVisibly(argv: readonly string[], context: string): Promise<number> {
  return run(argv, context, 'inherit').then(({ code }) => code)
}

/** Runs the command line to its end and returns what it printed. */
export function run(
  argv: readonly string[],
  context: string,
  stdio: 'inherit' | 'pipe' = 'pipe',
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(launcher, argv, {
    env: { ...process.env, BULKHEAD_CONTEXT: context },
    stdio: ['ignore', stdio, stdio],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (data) => (stdout += String(data)))
  child.stderr?.on('data', (data) => (stderr += String(data)))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
  })
}
