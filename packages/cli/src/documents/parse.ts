import { Composer, Lexer, LineCounter, Parser, isScalar, type CST, type Document } from 'yaml'

import { type OffsetProblem, plainOf } from './plain.ts'

/** One document of a text. */
interface Parsed {
  readonly value: unknown
  readonly contents: unknown
}

export interface ParsedText {
  readonly lines: LineCounter
  readonly documents: readonly Parsed[]
  readonly problems: readonly OffsetProblem[]
}

/**
 * Far above what a valid document needs. The parser takes microseconds for each token, and more for each
 * error, so that without these limits a hostile text of 10 MiB would keep it busy for minutes.
 */
const maxTokensOfDocument = 100_000
const maxStrayTokens = 100
const maxProblemsOfDocument = 10
const maxProblems = 1000
/** Empty documents included. */
const maxComposed = 20_000

const options = {
  version: '1.2',
  schema: 'core',
  strict: true,
  stringKeys: true,
  prettyErrors: false,
  resolveKnownTags: false,
  /** Quadratic; `plainOf` does it instead. */
  uniqueKeys: false,
} as const

class Stopped extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

function* tokensOf(text: string, lines: LineCounter): Iterable<CST.Token> {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  let offset = 0
  let tokens = 0
  let strays = 0
  for (const lexeme of new Lexer().lex(text)) {
    tokens = lexeme === '---' ? 0 : tokens + 1
    if (tokens > maxTokensOfDocument) {
      throw new Stopped(`the document has more than ${maxTokensOfDocument} tokens`, offset)
    }
    for (const token of parser.next(lexeme)) {
      strays += token.type === 'error' || token.type === 'directive' ? 1 : 0
      if (strays > maxStrayTokens) throw new Stopped('this is not YAML', offset)
      yield token
    }
    offset = parser.offset
  }
  yield* parser.end()
}

const tooDeep = 'the document is nested too deeply'

function wordsOf(message: string): string {
  if (/call stack/i.test(message)) return tooDeep
  return message.startsWith('With stringKeys') ? 'a key must be plain text' : message
}

function problemsOf(document: Document.Parsed): OffsetProblem[] {
  const { errors, warnings, directives } = document
  const problems = [...errors, ...warnings].map(({ pos, message }) => ({
    offset: pos[0],
    message: wordsOf(message),
  }))
  if (problems.length === 0 && directives.yaml.version !== '1.2') {
    problems.push({ offset: 0, message: 'only YAML 1.2 is understood' })
  }
  const deep = problems.find(({ message }) => message === tooDeep)
  return deep ? [deep] : problems.slice(0, maxProblemsOfDocument)
}

const isEmpty = ({ contents }: Document.Parsed): boolean =>
  contents === null || (isScalar(contents) && contents.value === null && contents.source === '')

/** YAML forbids these, and the parser uses some of them as marks of its own. */
function controlProblem(text: string, lines: LineCounter): OffsetProblem | null {
  // oxlint-disable-next-line no-control-regex
  const found = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.exec(text)
  if (!found) return null
  lines.addNewLine(0)
  for (let at = text.indexOf('\n'); at >= 0 && at < found.index; at = text.indexOf('\n', at + 1)) {
    lines.addNewLine(at + 1)
  }
  const code = text.charCodeAt(found.index).toString(16).padStart(2, '0')
  return { offset: found.index, message: `control character 0x${code} is not allowed` }
}

/** Adds to `documents` and `problems` in the order of the text. */
function compose(
  text: string,
  limit: number,
  lines: LineCounter,
  documents: Parsed[],
  problems: OffsetProblem[],
): void {
  const composer = new Composer(options)
  let composed = 0
  for (const document of composer.compose(tokensOf(text, lines))) {
    composed += 1
    if (composed > maxComposed) {
      throw new Stopped('there are too many empty documents', document.range[0])
    }
    const found = problemsOf(document)
    problems.push(...found)
    if (problems.length > maxProblems) throw new Stopped('there is more', document.range[0])
    if (found.length > 0 || isEmpty(document)) continue
    if (documents.length >= limit) {
      throw new Stopped(`there are more than ${limit} documents`, document.range[0])
    }
    const { value, problems: refusals } = plainOf(document.contents)
    problems.push(...refusals.slice(0, maxProblemsOfDocument))
    if (refusals.length === 0) documents.push({ value, contents: document.contents })
  }
  // Directives that no document follows.
  const [stray] = [...composer.streamInfo().errors, ...composer.streamInfo().warnings]
  if (stray) problems.push({ offset: stray.pos[0], message: stray.message })
}

/** Documents of a YAML 1.2 (or JSON) text, at most `limit`; empty ones are left out. Never throws. */
export function parseText(text: string, limit: number): ParsedText {
  const lines = new LineCounter()
  const documents: Parsed[] = []
  const problems: OffsetProblem[] = []
  const control = controlProblem(text, lines)
  if (control) return { lines, documents, problems: [control] }
  try {
    compose(text, limit, lines, documents, problems)
  } catch (error) {
    const offset = error instanceof Stopped ? error.offset : 0
    problems.push({ offset, message: wordsOf((error as Error).message) })
  }
  return { lines, documents, problems }
}
