import { BulkheadError, type ErrorCode } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { styleFor } from '../output/style.ts'
import { cleanText } from '../output/text.ts'
import { DetailedError } from './detailed-error.ts'
import { Interrupted } from './interrupted.ts'

interface Report {
  readonly code: ErrorCode
  readonly message: string
  readonly advice: string
  readonly exitCode: number
  readonly lines: readonly string[]
  readonly details: Readonly<Record<string, unknown>>
}

function reportOf(error: unknown): Report {
  if (error instanceof BulkheadError) {
    const { code, message, advice, exitCode, problems } = error
    const lines =
      error instanceof DetailedError ? error.lines : problems.map((problem) => problem.message)
    const more = error instanceof DetailedError ? error.details : {}
    const details = {
      ...(advice === '' ? {} : { advice }),
      ...(problems.length === 0 ? {} : { problems }),
      ...more,
    }
    return { code, message, advice, exitCode, lines, details }
  }
  const message = error instanceof Error ? error.message : String(error)
  const advice = 'this is a fault of Bulkhead; BULKHEAD_DEBUG=1 shows where'
  return { code: 'internal', message, advice, exitCode: 1, lines: [], details: { advice } }
}

/** `what: why; what to do`, on one line. */
function sentence(message: string, advice: string): string {
  const why = message.trim().replace(/\.$/, '')
  return cleanText(advice === '' ? why : `${why}; ${advice}`)
}

/** Tells people, or with `-o json` programs, what went wrong; returns the exit code. */
export function reportError(error: unknown, cli: Cli, asJson: boolean): number {
  if (error instanceof Interrupted) return error.exitCode
  const { code, message, advice, exitCode, lines, details } = reportOf(error)
  if (asJson) {
    cli.stderr.write(`${JSON.stringify({ error: { code, message, details } })}\n`)
  } else {
    const { red, bold } = styleFor(cli.stderr, cli.env)
    for (const line of lines) cli.stderr.write(`${cleanText(line)}\n`)
    cli.stderr.write(`${bold(red('error:'))} ${sentence(message, advice)}\n`)
  }
  if ((cli.env['BULKHEAD_DEBUG'] ?? '') !== '' && error instanceof Error) {
    cli.stderr.write(`${error.stack}\n`)
  }
  return exitCode
}
