import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@bulkhead/shared/client'

import { httpTransport } from '../../src/api/http-transport.ts'
import type { Cli, Output } from '../../src/cli.ts'
import { run } from '../../src/run.ts'
import { type Answers, type Recorded, startServer } from './fake-server.ts'

/** All ages in tests are counted to this time. */
const now = '2026-03-01T12:00:00.000Z'

export interface RunOptions {
  readonly answers?: Answers
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** More lines of the context file. */
  readonly context?: string
  /** Interrupts, as Ctrl-C does, as soon as this has been written. */
  readonly interruptAt?: string
  readonly server?: string
}

export interface RunResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly requests: readonly Recorded[]
  /** `METHOD /path?query` of each. */
  readonly urls: readonly string[]
}

class Memory implements Output {
  text = ''
  readonly isTTY: boolean
  readonly columns: number
  readonly rows: number
  readonly #onWrite: (text: string) => void

  constructor(options: RunOptions, onWrite: (text: string) => void) {
    this.isTTY = options.isTTY ?? false
    this.columns = options.columns ?? 80
    this.rows = options.rows ?? 24
    this.#onWrite = onWrite
  }

  write(chunk: string | Uint8Array): void {
    this.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    this.#onWrite(this.text)
  }
}

async function* once(text: string): AsyncGenerator<string> {
  yield text
}

/** Runs a command line against a server with these answers; time stands at `now`, timers are real. */
export async function runCli(
  argv: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const server = await startServer(options.answers ?? {})
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-cli-'))
  const context = join(directory, 'context.yaml')
  const url = options.server ?? server.url
  writeFileSync(context, `server: ${url}\ntoken: secret-token\n${options.context ?? ''}`)
  const control = new AbortController()
  const { Interrupted } = await import('../../src/errors/interrupted.ts')
  const onWrite = (text: string): void => {
    if (options.interruptAt !== undefined && text.includes(options.interruptAt)) {
      setImmediate(() => control.abort(new Interrupted(130)))
    }
  }
  const stdout = new Memory(options, onWrite)
  const stderr = new Memory(options, onWrite)
  const cli: Cli = {
    stdout,
    stderr,
    env: { BULKHEAD_CONTEXT: context, LANG: 'C.UTF-8', ...options.env },
    clock: { ...systemClock, nowMs: () => Date.parse(now) },
    transport: httpTransport,
    signal: control.signal,
    stdin: once(options.stdin ?? ''),
  }
  // Timers of the system's clock keep no process alive, so that the test has to.
  const keepAlive = setInterval(() => {}, 1000)
  try {
    const exitCode = await run(argv, cli)
    const { requests } = server
    const urls = requests.map((request) => `${request.method} ${request.url}`)
    return { exitCode, stdout: stdout.text, stderr: stderr.text, requests, urls }
  } finally {
    clearInterval(keepAlive)
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A text without the space that a template literal in a test is indented by. */
export function dedent(text: string): string {
  const lines = text.replace(/^\n/, '').replace(/\n *$/, '\n').split('\n')
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/))
  const indent = Math.min(...indents)
  return lines.map((line) => line.slice(indent)).join('\n')
}
