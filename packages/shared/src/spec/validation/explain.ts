import type { ErrorObject } from 'ajv'

import { pointerTo } from '../pointer.ts'
import type { Problem } from './problem.ts'
import { alternatives, hint, shownText, shownValue, subjectOf } from './shown.ts'

/** What of a schema is read here; ajv gives it with every error. */
interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly description?: string
  readonly properties?: Readonly<Record<string, unknown>>
  readonly patternProperties?: Readonly<Record<string, unknown>>
}

const schemaOf = (error: ErrorObject): Schema => (error.parentSchema ?? {}) as Schema

const typeNames: Readonly<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

const typeName = (type: string | undefined): string => typeNames[type ?? ''] ?? 'something else'

/** What the value has to be, in words, for one broken rule of a schema. */
const expectations: Readonly<Record<string, (error: ErrorObject) => string>> = {
  type: (error) => typeName(schemaOf(error).type),
  const: (error) => shownValue(schemaOf(error).const),
  pattern: () => 'of another form',
  minLength: () => 'text that is not empty',
  maxLength: (error) => `at most ${String(error.schema)} characters long`,
  minItems: () => 'a list that is not empty',
  maxItems: (error) => `a list of at most ${String(error.schema)}`,
  maxProperties: (error) => `a mapping with at most ${String(error.schema)} keys`,
  minimum: (error) => {
    const { description } = schemaOf(error)
    return `at least ${String(error.schema)}${description === undefined ? '' : ` (${description})`}`
  },
  maximum: (error) => `at most ${String(error.schema)}`,
  exclusiveMinimum: (error) => `more than ${String(error.schema)}`,
}

const sizes: ReadonlySet<string> = new Set(['minLength', 'minItems', 'maxItems', 'maxProperties'])

function mustBe(path: string, expected: string, value: unknown): Problem {
  return { path, message: `${subjectOf(path)} must be ${expected}; found ${shownValue(value)}` }
}

function explainKey(error: ErrorObject, key: string): Problem {
  const { properties, patternProperties, description } = schemaOf(error)
  const path = `${error.instancePath}${pointerTo(key)}`
  if (patternProperties) {
    const where = subjectOf(error.instancePath)
    const message = `${shownText(key)} cannot be a key of ${where}: ${description ?? ''}`
    return { path, message, on: 'key' }
  }
  const known = Object.keys(properties ?? {})
  return { path, message: `unknown key ${shownText(key)}${hint(key, known)}`, on: 'key' }
}

/** `description` is that of the union which the error's schema is a branch of. */
function explainOne(error: ErrorObject, description?: string): Problem {
  const params = error.params as Readonly<Record<string, unknown>>
  if (error.keyword === 'additionalProperties') {
    return explainKey(error, String(params['additionalProperty']))
  }
  if (error.keyword === 'required') {
    const key = String(params['missingProperty'])
    const where = error.instancePath === '' ? '' : ` in ${subjectOf(error.instancePath)}`
    return { path: error.instancePath, message: `missing key "${key}"${where}` }
  }
  const { instancePath: path, keyword, data } = error
  const words = schemaOf(error).description ?? description
  const expected = expectations[keyword]?.(error) ?? 'something else'
  if (sizes.has(keyword)) return { path, message: `${subjectOf(path)} must be ${expected}` }
  if (keyword === 'pattern') return mustBe(path, words ?? expected, data)
  const problem = mustBe(path, expected, data)
  const isUnquoted = expected === typeNames['string'] && /^(number|boolean)$/.test(typeof data)
  return isUnquoted ? { path, message: `${problem.message}; write it in quotes` } : problem
}

/** The index of the branch of `union` in which `error` arose. */
const branchOf = (union: ErrorObject, error: ErrorObject): number =>
  Number.parseInt(error.schemaPath.slice(union.schemaPath.length + 1), 10)

function explainUnion(union: ErrorObject, inside: readonly ErrorObject[]): Problem[] {
  const branches = union.schema as readonly Schema[]
  const { description } = schemaOf(union)
  const { instancePath: path, data: value } = union
  if (branches.every((branch) => branch.const !== undefined)) {
    const words = branches.map((branch) => String(branch.const))
    const problem = mustBe(path, alternatives(words), value)
    const suffix = typeof value === 'string' ? hint(value, words) : ''
    return [{ path, message: problem.message + suffix }]
  }
  const unfit = inside.filter(
    (error) =>
      error.instancePath === path && (error.keyword === 'type' || error.keyword === 'const'),
  )
  const refused = new Set(unfit.map((error) => branchOf(union, error)))
  const fitting = [...branches.keys()].filter((branch) => !refused.has(branch))
  const [only] = fitting
  if (fitting.length === 1) {
    const own = inside.filter((error) => branchOf(union, error) === only)
    return explainErrors(own, description)
  }
  const types = branches.map((branch) => typeName(branch.type))
  return [mustBe(path, description ?? alternatives(types), value)]
}

/** Far more than anybody reads, and few enough to explain whatever a document holds. */
const maxExplained = 200

/**
 * Turns ajv's errors into one problem for each thing that is wrong, at most 200. Relies on ajv's order: the
 * errors of a union's branches come directly before the error of the union.
 */
export function explainErrors(errors: readonly ErrorObject[], description?: string): Problem[] {
  const groups: { readonly error: ErrorObject; readonly inside: readonly ErrorObject[] }[] = []
  let last = errors.length - 1
  while (last >= 0) {
    const error = errors[last]
    if (!error) break
    let first = last
    if (error.keyword === 'anyOf') {
      while (errors[first - 1]?.schemaPath.startsWith(`${error.schemaPath}/`)) first -= 1
    }
    groups.push({ error, inside: errors.slice(first, last) })
    last = first - 1
  }
  return groups
    .toReversed()
    .slice(0, maxExplained)
    .flatMap(({ error, inside }) =>
      error.keyword === 'anyOf' ? explainUnion(error, inside) : [explainOne(error, description)],
    )
}
