import type { LineCounter } from 'yaml'

import { offsetOfPointer } from './locate.ts'
import { type ParsedText, parseText } from './parse.ts'
import { type SourceText, sourceTexts } from './source-text.ts'

/** Lines and columns count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Something that is wrong with a text before its documents are looked at. */
interface SourceProblem {
  readonly file: string
  /** Null when the file as a whole is meant. */
  readonly position: Position | null
  readonly message: string
}

export interface ReadDocuments {
  /** As given, in the order in which they were read; `-` is standard input. */
  readonly files: readonly string[]
  /** Plain data, to be validated; empty documents are left out. */
  readonly documents: readonly unknown[]
  readonly problems: readonly SourceProblem[]
  /**
   * Where in its file the document with this index has what the JSON pointer names: the value, or with `key`
   * the key. What is not there is located at the nearest thing around it.
   */
  readonly locate: (document: number, pointer: string, on?: 'key' | 'value') => Position
}

const maxDocuments = 5000

interface Place {
  readonly file: string
  readonly lines: LineCounter
  readonly contents: unknown
}

function positionAt(file: string, lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
}

const problemsOf = (file: string, { lines, problems }: ParsedText): SourceProblem[] =>
  problems.map(({ offset, message }) => ({
    file,
    position: positionAt(file, lines, offset),
    message,
  }))

function read(sources: readonly SourceText[]): ReadDocuments {
  const documents: unknown[] = []
  const places: Place[] = []
  const problems: SourceProblem[] = []
  for (const source of sources) {
    const { file } = source
    if ('problem' in source) {
      problems.push({ file, position: null, message: source.problem })
      continue
    }
    const parsed = parseText(source.text, maxDocuments - documents.length)
    problems.push(...problemsOf(file, parsed))
    for (const { value, contents } of parsed.documents) {
      documents.push(value)
      places.push({ file, lines: parsed.lines, contents })
    }
  }
  if (documents.length === 0 && problems.length === 0) {
    // Nothing to apply is more often an accident than meant, and with pruning it would delete everything.
    const file = sources[0]?.file ?? '-'
    problems.push({ file, position: null, message: 'has no documents in it' })
  }
  return {
    files: sources.map(({ file }) => file),
    documents,
    problems,
    locate(document, pointer, on = 'value') {
      const place = places[document]
      if (!place) return { file: sources[0]?.file ?? '-', line: 1, column: 1 }
      const { file, lines, contents } = place
      return positionAt(file, lines, offsetOfPointer(contents, pointer, on))
    },
  }
}

/**
 * Reads what `-f` names: files, directories (their *.yaml and *.yml by name, not those further down) and `-`.
 * Never throws: what is wrong is in `problems`. At most 10 MiB for each path and 5,000 documents in all.
 */
export async function readDocuments(
  paths: readonly string[],
  stdin: AsyncIterable<Uint8Array | string> = process.stdin,
): Promise<ReadDocuments> {
  const sources: SourceText[] = []
  for (const path of paths) sources.push(...(await sourceTexts(path, stdin)))
  return read(sources)
}
