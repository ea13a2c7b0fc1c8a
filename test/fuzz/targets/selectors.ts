import { isDeepStrictEqual } from 'node:util'

import {
  matchesSelector,
  parseSelector,
  type Requirement,
  type Selector,
  unmetRequirements,
} from '@bulkhead/shared'
import fc from 'fast-check'

import { expectedSelector, holdsFor } from '../data/selector-oracle.ts'
import { expect, type OpenTarget, pureTarget, within } from '../run/target.ts'

const keys = ['a', 'in', 'notin', 'disk', 'Zz_9', 'x.y/a-b', '__proto__', 'constructor', '0']
const values = ['', 'a', 'in', 'notin', 'ssd', 'A_b.c-d', 'x'.repeat(63)]
const key = fc.oneof(
  fc.constantFrom(...keys.filter((text) => !text.startsWith('_'))),
  fc.stringMatching(
    /^[a-z0-9]([a-z0-9.-]{0,5}[a-z0-9])?\/[A-Za-z0-9]([A-Za-z0-9._-]{0,9}[A-Za-z0-9])?$/,
  ),
)
const value = fc.oneof(
  fc.constantFrom(...values),
  fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,9}[A-Za-z0-9])?$/),
)
const space = fc.constantFrom('', ' ', '\t', '  ', '\n', '\u00a0')

/** A requirement and one way to write it. */
interface Written {
  readonly requirement: Requirement
  readonly text: string
}

const unique = (list: readonly string[]): string[] => [...new Set(list)]
const equality = fc
  .tuple(key, fc.constantFrom('=', '==', '!='), value, space, space)
  .map(([key, operator, value, before, after]): Written => ({
    requirement: { key, operator: operator === '!=' ? 'notin' : 'in', values: [value] },
    text: `${key}${before}${operator}${after}${value}`,
  }))
const set = fc
  .tuple(
    key,
    fc.constantFrom('in' as const, 'notin' as const),
    fc.array(value, { minLength: 1, maxLength: 5 }),
    space,
    space,
  )
  .filter(([, , list]) => list.length > 1 || list[0] !== '')
  .map(([key, operator, list, before, inside]): Written => ({
    requirement: { key, operator, values: unique(list) },
    text: `${key} ${operator}${before}(${list.map((item) => `${inside}${item}${inside}`).join(',')})`,
  }))
const presence = fc.tuple(key, fc.boolean(), space).map(([key, exists, inside]): Written => ({
  requirement: { key, operator: exists ? 'exists' : 'absent' },
  text: exists ? key : `!${inside}${key}`,
}))
const written = fc.array(fc.oneof(equality, set, presence), { maxLength: 6 })
const labels = fc.dictionary(fc.constantFrom(...keys), fc.constantFrom(...values), {
  maxKeys: 6,
  noNullPrototype: false,
})

/** Again as text, in the plainest way. */
function textOf(selector: Selector): string {
  return selector
    .map((requirement) => {
      if (requirement.operator === 'exists') return requirement.key
      if (requirement.operator === 'absent') return `!${requirement.key}`
      const { key, operator, values } = requirement
      return values.length === 1 && values[0] === ''
        ? `${key}${operator === 'in' ? '=' : '!='}`
        : `${key} ${operator} (${values.join(',')})`
    })
    .join(',')
}

const writtenIsRead = fc.property(written, space, labels, (list, pad, labels) => {
  const text = `${pad}${list.map((item) => item.text).join(`${pad},${pad}`)}${pad}`
  const result = parseSelector(text)
  expect(result.ok, `refused: ${JSON.stringify(text)}`)
  const wanted = list.map(({ requirement }) => requirement)
  expect(isDeepStrictEqual(result.selector, wanted), `read as ${JSON.stringify(result.selector)}`)
  const matches = matchesSelector(result.selector, labels)
  expect(
    matches === wanted.every((requirement) => holdsFor(requirement, labels)),
    'matches wrongly',
  )
  expect(matches === (unmetRequirements(result.selector, labels).length === 0), 'unmet wrongly')
  const again = parseSelector(textOf(result.selector))
  expect(
    again.ok && isDeepStrictEqual(again.selector, wanted),
    'does not survive writing and reading',
  )
})

const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'a',
      'b1',
      'in',
      'notin',
      '=',
      '==',
      '!=',
      '!',
      '(',
      ')',
      ',',
      ' ',
      '',
      'a/b',
      '-',
      '.',
      '_',
      '/',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
)
const anyText = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))

const sameAsOracle = fc.property(anyText, (text) => {
  const result = parseSelector(text)
  const wanted = expectedSelector(text)
  if (result.ok) {
    expect(
      isDeepStrictEqual(result.selector, wanted),
      `read as ${JSON.stringify(result.selector)}, not ${JSON.stringify(wanted)}`,
    )
    return
  }
  expect(wanted === null, `refused: ${result.message}`)
  expect(result.column >= 1 && result.column <= text.length + 1, `column ${result.column}`)
  expect(!/\p{Cc}/u.test(result.message), `control characters in ${JSON.stringify(result.message)}`)
})

const longTexts = fc.property(
  fc.array(fc.tuple(piece, fc.integer({ min: 1, max: 20_000 })), { minLength: 1, maxLength: 4 }),
  (parts) => {
    const text = parts
      .map(([piece, times]) => piece.repeat(times))
      .join('')
      .slice(0, 200_000)
    within(2000, 'parsing', () => parseSelector(text))
  },
)

export const openSelectors: OpenTarget = async () =>
  pureTarget('selectors', [
    { name: 'what is written is read', runs: 2000, property: writtenIsRead },
    { name: 'any text as the oracle reads it', runs: 5000, property: sameAsOracle },
    { name: 'long texts in time', runs: 100, property: longTexts },
  ])
