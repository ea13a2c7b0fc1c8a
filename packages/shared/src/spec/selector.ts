import { printable } from '../printable.ts'
import { labelKeyPattern, labelValuePattern } from './source-parts.ts'

/**
 * Label selectors in the syntax of Kubernetes: `a=b`, `a==b`, `a!=b`, `a in (x, y)`, `a notin (x, y)`, `a`,
 * `!a`, joined by commas that mean AND. The empty selector matches everything.
 */
export type Requirement =
  | { readonly key: string; readonly operator: 'in' | 'notin'; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: 'exists' }
  | { readonly key: string; readonly operator: 'absent' }

export type Selector = readonly Requirement[]

export type SelectorResult =
  | { readonly ok: true; readonly selector: Selector }
  /** `column` counts from 1, in UTF-16 units of the text. */
  | { readonly ok: false; readonly message: string; readonly column: number }

interface Token {
  readonly kind: 'word' | 'symbol' | 'end'
  readonly text: string
  readonly column: number
}

class SyntaxProblem extends Error {
  readonly column: number
  constructor(message: string, column: number) {
    super(message)
    this.column = column
  }
}

const keyPattern = new RegExp(labelKeyPattern)
const valuePattern = new RegExp(labelValuePattern)
const maxValueLength = 63
const maxPrefixLength = 253

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  for (const match of text.matchAll(/==|!=|[=!(),]|[^\s=!(),]+/g)) {
    const kind = /^[=!(),]/.test(match[0]) ? 'symbol' : 'word'
    tokens.push({ kind, text: match[0], column: match.index + 1 })
  }
  return [...tokens, { kind: 'end', text: '', column: text.length + 1 }]
}

const shown = (token: Token): string => {
  if (token.kind === 'end') return 'the end'
  return printable(JSON.stringify(token.text.slice(0, 40)))
}

/** Reads tokens from the front; `parseSelector` turns what it throws into a result. */
class Reader {
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(text: string) {
    this.#tokens = tokensOf(text)
  }

  peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', column: 1 }
  }

  take(): Token {
    const token = this.peek()
    if (token.kind !== 'end') this.#next += 1
    return token
  }

  takeSymbol(...symbols: readonly string[]): string | null {
    const token = this.peek()
    if (token.kind !== 'symbol' || !symbols.includes(token.text)) return null
    this.#next += 1
    return token.text
  }
}

function fail(token: Token, expected: string): never {
  throw new SyntaxProblem(`expected ${expected}, found ${shown(token)}`, token.column)
}

function readKey(reader: Reader): string {
  const token = reader.take()
  if (token.kind !== 'word') fail(token, 'a label key')
  const prefixLength = token.text.lastIndexOf('/')
  if (!keyPattern.test(token.text) || prefixLength > maxPrefixLength) {
    throw new SyntaxProblem(`${shown(token)} cannot be a label key`, token.column)
  }
  return token.text
}

/** A value may be empty, as in `a=` and `a in (x,)`. */
function readValue(reader: Reader): string {
  if (reader.peek().kind !== 'word') return ''
  const token = reader.take()
  if (!valuePattern.test(token.text) || token.text.length > maxValueLength) {
    throw new SyntaxProblem(`${shown(token)} cannot be a label value`, token.column)
  }
  return token.text
}

function readValues(reader: Reader): string[] {
  if (reader.takeSymbol('(') === null) fail(reader.peek(), '"("')
  if (reader.peek().text === ')') fail(reader.peek(), 'at least one value')
  const values = new Set([readValue(reader)])
  while (reader.takeSymbol(',') !== null) values.add(readValue(reader))
  if (reader.takeSymbol(')') === null) fail(reader.peek(), '"," or ")"')
  return [...values]
}

function readRequirement(reader: Reader): Requirement {
  if (reader.takeSymbol('!') !== null) return { key: readKey(reader), operator: 'absent' }
  const key = readKey(reader)
  const symbol = reader.takeSymbol('=', '==', '!=')
  if (symbol !== null) {
    return { key, operator: symbol === '!=' ? 'notin' : 'in', values: [readValue(reader)] }
  }
  const { kind, text } = reader.peek()
  if (kind === 'word' && (text === 'in' || text === 'notin')) {
    reader.take()
    return { key, operator: text, values: readValues(reader) }
  }
  return { key, operator: 'exists' }
}

function readSelector(reader: Reader): Requirement[] {
  const requirements: Requirement[] = []
  if (reader.peek().kind === 'end') return requirements
  do requirements.push(readRequirement(reader))
  while (reader.takeSymbol(',') !== null)
  const rest = reader.peek()
  if (rest.kind !== 'end') fail(rest, '"," or the end')
  return requirements
}

export function parseSelector(text: string): SelectorResult {
  try {
    return { ok: true, selector: readSelector(new Reader(text)) }
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    return { ok: false, message: error.message, column: error.column }
  }
}

type Labels = Readonly<Record<string, string>>

const labelOf = (labels: Labels, key: string): string | null =>
  Object.hasOwn(labels, key) ? (labels[key] ?? null) : null

function holds(requirement: Requirement, value: string | null): boolean {
  if (requirement.operator === 'exists') return value !== null
  if (requirement.operator === 'absent') return value === null
  const listed = value !== null && requirement.values.includes(value)
  return requirement.operator === 'in' ? listed : !listed
}

const quoteEmpty = (value: string): string => (value === '' ? '""' : value)

function wanted(requirement: Requirement): string {
  if (requirement.operator === 'exists') return 'any value'
  if (requirement.operator === 'absent') return 'none'
  const values = requirement.values.map(quoteEmpty).join(', ')
  const text = requirement.values.length === 1 ? values : `one of ${values}`
  return requirement.operator === 'in' ? text : `not ${text}`
}

/** Kubernetes' semantics: `!=` and `notin` also match when the label is missing. */
export function matchesSelector(selector: Selector, labels: Labels): boolean {
  return selector.every((requirement) => holds(requirement, labelOf(labels, requirement.key)))
}

/** One clause for each requirement that does not hold: `disk is hdd, wanted ssd`. */
export function unmetRequirements(selector: Selector, labels: Labels): string[] {
  return selector
    .filter((requirement) => !holds(requirement, labelOf(labels, requirement.key)))
    .map((requirement) => {
      const { key } = requirement
      const value = labelOf(labels, key)
      if (value === null) return `${key} is not set, wanted ${wanted(requirement)}`
      return `${key} is ${quoteEmpty(value)}, wanted ${wanted(requirement)}`
    })
}
