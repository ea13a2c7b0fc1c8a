import { systemClock } from '@bulkhead/shared/client'

import { httpTransport } from './api/http-transport.ts'
import type { Cli, Output } from './cli.ts'
import { Interrupted } from './errors/interrupted.ts'
import { reportError } from './errors/report.ts'
import { run } from './run.ts'

const defaultColumns = 80
const defaultRows = 24
/** Longer than any command runs; only there so that the process does not end while one waits. */
const foreverMs = 2 ** 31 - 1
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** A reader that left, as `| head` does, is no fault: there is just nobody left to write for. */
function endOnClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}

function outputOf(stream: NodeJS.WriteStream): Output {
  endOnClosedPipe(stream)
  return {
    write: (chunk) => {
      stream.write(chunk)
    },
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns || defaultColumns
    },
    get rows() {
      return stream.rows || defaultRows
    },
  }
}

/** The first signal asks the command to end in order, the second one does not wait for it. */
function signalsOf(host: NodeJS.Process): AbortSignal {
  const control = new AbortController()
  for (const [signal, exitCode] of Object.entries(exitCodes)) {
    host.on(signal, () => {
      if (control.signal.aborted) host.exit(exitCode)
      control.abort(new Interrupted(exitCode))
    })
  }
  return control.signal
}

/** Nothing shows people a stack trace; what runs for long keeps Node's own way, as its log is for operators. */
function reportFaults(host: NodeJS.Process, cli: Cli): void {
  const isServer = ['controlplane', 'agent'].some((name) => host.argv.includes(name))
  if (isServer) return
  host.on('uncaughtException', (error) => host.exit(reportError(error, cli, false)))
}

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.write('', () => resolve())
  })

/** Runs the command line of this process and ends the process with its exit code. */
export async function startProcess(host: NodeJS.Process): Promise<void> {
  const keepAlive = setInterval(() => {}, foreverMs)
  const cli: Cli = {
    stdout: outputOf(host.stdout),
    stderr: outputOf(host.stderr),
    env: host.env,
    clock: systemClock,
    transport: httpTransport,
    signal: signalsOf(host),
    // Looked at only when it is read: opening it costs time, and a terminal would be waited for.
    get stdin() {
      return host.stdin
    },
  }
  reportFaults(host, cli)
  const exitCode = await run(host.argv.slice(2), cli)
  clearInterval(keepAlive)
  await Promise.all([flushed(host.stdout), flushed(host.stderr)])
  host.exit(exitCode)
}
