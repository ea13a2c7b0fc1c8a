import { writeFileSync } from 'node:fs'

import type { Clock } from '@bulkhead/shared/client'

import type { Cli, Output } from '../../../packages/cli/src/cli.ts'
import { Interrupted } from '../../../packages/cli/src/errors/interrupted.ts'
import { run } from '../../../packages/cli/src/run.ts'
import { type Mood, pretendApi } from './pretend-api.ts'
import { expect } from './target.ts'

/** A minute of waiting is over in this many milliseconds. */
const hurry = 1000
/** What goes on for good is interrupted after this. */
const interruptMs = 150
const interrupted = 130
const maxKept = 1_000_000

const hurried: Clock = {
  nowMs: () => 1_770_000_000_000,
  monotonicMs: () => performance.now() * hurry,
  after(delayMs, run) {
    const handle = setTimeout(run, Math.min(Math.max(delayMs, 0) / hurry, 1e6))
    return { cancel: () => clearTimeout(handle) }
  },
}

class Memory implements Output {
  text = ''
  readonly isTTY = false
  readonly columns = 80
  readonly rows = 24

  write(chunk: string | Uint8Array): void {
    if (this.text.length < maxKept) this.text += Buffer.from(chunk).toString()
  }
}

export interface Tried {
  readonly argv: readonly string[]
  readonly context: string
  readonly stdin: string
  readonly mood: Mood
  readonly salt: number
}

/** Holds what a command printed to standard error against the rules; `isOdd`: it talked to no control plane. */
export function checkErrors(exitCode: number, stderr: string, isOdd: boolean): void {
  const shown = `exit code ${exitCode}: ${JSON.stringify(stderr.slice(0, 600))}`
  expect(exitCode >= 0 && exitCode <= 4, shown)
  expect(!/^\s+at .*[:(]/m.test(stderr), `a stack trace: ${shown}`)
  expect(isOdd || !stderr.includes('fault of Bulkhead'), `a fault: ${shown}`)
  expect(!stderr.includes('(node:'), `a warning of Node.js: ${shown}`)
  // oxlint-disable-next-line no-control-regex
  expect(!/[\u0000-\u0008\u000b-\u001f\u007f]/.test(stderr), `control characters: ${shown}`)
  const lines = stderr.split('\n').filter((line) => line !== '')
  const errors = lines.filter((line) => line.startsWith('error: ') || line.startsWith('{"error":'))
  const isHelp = lines.some((line) => line.startsWith('Usage: '))
  if (exitCode === 0) expect(errors.length === 0, `an error, but done: ${shown}`)
  if (exitCode >= 2 && !isHelp) {
    expect(errors.length === 1 && lines.at(-1) === errors[0], `not one line of error: ${shown}`)
  }
}

async function* once(text: string): AsyncGenerator<string> {
  yield text
}

/** Runs one command line in this process, in the current directory. */
export async function tryCommand({ argv, context, stdin, mood, salt }: Tried): Promise<void> {
  writeFileSync('context.yaml', context)
  const control = new AbortController()
  const stderr = new Memory()
  const cli: Cli = {
    stdout: new Memory(),
    stderr,
    env: { BULKHEAD_CONTEXT: 'context.yaml', HOME: '.', LANG: 'C.UTF-8' },
    clock: hurried,
    transport: pretendApi(mood, salt),
    signal: control.signal,
    stdin: once(stdin),
  }
  const timer = setTimeout(() => control.abort(new Interrupted(interrupted)), interruptMs)
  try {
    const exitCode = await run(argv, cli)
    if (control.signal.aborted && exitCode === interrupted) return
    checkErrors(exitCode, stderr.text, mood === 'garbled' || mood === 'refusing')
  } finally {
    clearTimeout(timer)
  }
}
