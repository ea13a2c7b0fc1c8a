import fc from 'fast-check'
import t from 'tap'

import {
  matchesSelector,
  parseSelector,
  unmetRequirements,
  type Selector,
} from '../../src/index.ts'

function parsed(text: string): Selector {
  const result = parseSelector(text)
  if (!result.ok) throw new Error(`${text}: ${result.message} at ${result.column}`)
  return result.selector
}

t.test('what the syntax accepts', async (t) => {
  const cases: readonly (readonly [string, Selector])[] = [
    ['', []],
    ['  ', []],
    ['a=b', [{ key: 'a', operator: 'in', values: ['b'] }]],
    ['a == b', [{ key: 'a', operator: 'in', values: ['b'] }]],
    ['a!=b', [{ key: 'a', operator: 'notin', values: ['b'] }]],
    ['a=', [{ key: 'a', operator: 'in', values: [''] }]],
    ['a in (x, y)', [{ key: 'a', operator: 'in', values: ['x', 'y'] }]],
    ['a in(x,,x)', [{ key: 'a', operator: 'in', values: ['x', ''] }]],
    ['a notin (x)', [{ key: 'a', operator: 'notin', values: ['x'] }]],
    ['a', [{ key: 'a', operator: 'exists' }]],
    ['! a', [{ key: 'a', operator: 'absent' }]],
    ['example.org/a=b', [{ key: 'example.org/a', operator: 'in', values: ['b'] }]],
    [
      'in in (in),notin',
      [
        { key: 'in', operator: 'in', values: ['in'] },
        { key: 'notin', operator: 'exists' },
      ],
    ],
    [
      'a=,!b',
      [
        { key: 'a', operator: 'in', values: [''] },
        { key: 'b', operator: 'absent' },
      ],
    ],
  ]
  for (const [text, selector] of cases) t.same(parsed(text), selector, text)
})

t.test('what it refuses, and where', async (t) => {
  const cases: readonly (readonly [string, number])[] = [
    [',', 1],
    ['a,', 3],
    ['a b', 3],
    ['a==b==c', 5],
    ['!a=b', 3],
    ['a in x', 6],
    ['a in (x', 8],
    ['a in ()', 7],
    ['a in (x y)', 9],
    ['a>1', 1],
    ['a=b||c', 3],
    ['a=b)', 4],
    ['-a', 1],
    ['a/b/c', 1],
    [`a=${'x'.repeat(64)}`, 3],
    ['x'.repeat(64), 1],
    ['a=\u001b', 3],
  ]
  for (const [text, column] of cases) {
    const result = parseSelector(text)
    t.match(result, { ok: false, column }, JSON.stringify(text))
  }
})

const keys = ['a', 'b', 'constructor', 'x/y']
const values = ['', 'u', 'v', 'w']
const anyKey = fc.constantFrom(...keys)
const anyValues = fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 })
const requirement = fc.oneof(
  fc.record({
    key: anyKey,
    operator: fc.constantFrom('in' as const, 'notin' as const),
    values: anyValues,
  }),
  fc.record({ key: anyKey, operator: fc.constantFrom('exists' as const, 'absent' as const) }),
) as fc.Arbitrary<Selector[number]>
const anyLabels = fc.dictionary(anyKey, fc.constantFrom(...values))

function written(part: Selector[number]): string {
  if (part.operator === 'exists') return part.key
  if (part.operator === 'absent') return `!${part.key}`
  return `${part.key} ${part.operator} (${part.values.join(',') || ','})`
}

/** Kubernetes' documentation, literally, over pairs and not over an object. */
function naive(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  const pairs = Object.entries(labels)
  let result = true
  for (const part of selector) {
    const has = pairs.some(([key]) => key === part.key)
    const listed =
      (part.operator === 'in' || part.operator === 'notin') &&
      pairs.some(([key, value]) => key === part.key && part.values.includes(value))
    if (part.operator === 'in' && !listed) result = false
    if (part.operator === 'notin' && has && listed) result = false
    if (part.operator === 'exists' && !has) result = false
    if (part.operator === 'absent' && has) result = false
  }
  return result
}

t.test('a selector written out is read back, and matches as a naive model does', async () => {
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 4 }), anyLabels, (selector, labels) => {
      const text = selector.map(written).join(' , ')
      const read = parsed(text)
      const expected = naive(selector, labels)
      return (
        JSON.stringify(read.map(written)) === JSON.stringify(selector.map(written)) &&
        matchesSelector(read, labels) === expected &&
        (unmetRequirements(read, labels).length === 0) === expected
      )
    }),
    { numRuns: 500 },
  )
})

t.test('says what is unmet', async (t) => {
  const selector = parsed('disk=ssd, os in (debian, ubuntu), !old, gen, rack!=r1, tier=')
  const unmet = unmetRequirements(selector, { disk: 'hdd', old: 'yes', rack: 'r1', tier: 'x' })
  t.same(unmet, [
    'disk is hdd, wanted ssd',
    'os is not set, wanted one of debian, ubuntu',
    'old is yes, wanted none',
    'gen is not set, wanted any value',
    'rack is r1, wanted not r1',
    'tier is x, wanted ""',
  ])
})

t.test('never throws, and points into the text', async () => {
  const pieces = fc.constantFrom('a', ' ', ',', '=', '!', '(', ')', 'in', 'notin', '==', '/', '>')
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(text, (input) => {
      const result = parseSelector(input)
      return result.ok || (result.column >= 1 && result.column <= input.length + 1)
    }),
    { numRuns: 500 },
  )
})
