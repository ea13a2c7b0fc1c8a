import { BulkheadError, type DocumentProblem } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import type { Position, ReadDocuments } from '../documents/read.ts'
import { DetailedError } from '../errors/detailed-error.ts'
import { plural } from '../output/text.ts'

const shownLimit = 100

/** An error that lists what is wrong with documents, as `FILE:LINE:COLUMN: message`. */
export function badDocuments(lines: readonly string[], given?: BulkheadError): BulkheadError {
  const rest = lines.length - shownLimit
  const shown = rest > 0 ? [...lines.slice(0, shownLimit), `… and ${rest} more`] : lines
  const message = `documents: ${plural(lines.length, 'problem')}`
  return new DetailedError(given?.code ?? 'bad-spec', message, {
    advice: given?.advice || 'correct them and try again',
    lines: shown,
    details: { problems: lines },
  })
}

/** Reads what `-f` names. Throws BulkheadError `bad-spec` when it is not YAML that can be sent. */
export async function readInput(paths: readonly string[], cli: Cli): Promise<ReadDocuments> {
  if (paths.length === 0) {
    throw new BulkheadError(
      'bad-usage',
      'documents: none are named',
      'write -f FILE, -f DIR or -f -',
    )
  }
  const { readDocuments } = await import('../documents/read.ts')
  const read = await readDocuments(paths, cli.stdin)
  if (read.problems.length === 0) return read
  const { checkDocuments } = await import('../documents/check.ts')
  throw badDocuments(checkDocuments(read))
}

/** By the first number that differs. */
function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

const shown = ({ file, line, column }: Position): string => `${file}:${line}:${column}`

function lineOf(
  { document, path, message, on, first }: DocumentProblem,
  read: ReadDocuments,
): string {
  const other = first === undefined ? '' : `; first at ${shown(read.locate(first, path))}`
  return `${shown(read.locate(document, path, on))}: ${message}${other}`
}

/** Runs a request that sends documents, so that what is wrong with them is shown where it is in the files. */
export async function located<T>(read: ReadDocuments, request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (error) {
    if (!(error instanceof BulkheadError) || error.problems.length === 0) throw error
    const places = error.problems.map((problem) => {
      const { line, column } = read.locate(problem.document, problem.path, problem.on)
      return { order: [problem.document, line, column], text: lineOf(problem, read) }
    })
    const inOrder = places.toSorted((a, b) => compareLists(a.order, b.order))
    throw badDocuments(
      inOrder.map(({ text }) => text),
      error,
    )
  }
}
