import fc from 'fast-check'

/** Text that programs trip over. */
const hostileTexts = [
  '',
  ' ',
  '\0',
  '\u001b[31m',
  '\r\n',
  '\u2028',
  '\u202e',
  '\ud800',
  '\ufeff',
  'é',
  '日本',
  '🦀',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'true',
  'NaN',
  '-0',
  '~',
  '~1',
  '/',
  '../../etc/passwd',
  '%00',
  '${x}',
  '$(id)',
  "' OR 1=1 --",
  '<<',
  '&a',
  '*a',
  '!!js',
  '|',
  '>',
  'a'.repeat(64),
  'a'.repeat(300),
  '日'.repeat(100),
  '9'.repeat(400),
  '0x10',
  '1e999',
  '2001-01-01',
] as const

const hostileNumbers = [
  0,
  -0,
  -1,
  1,
  0.1,
  1e-300,
  1e21,
  1e300,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  Number.MAX_SAFE_INTEGER,
  65_536,
  5e-324,
] as const

export const anyText = fc.oneof(
  fc.constantFrom<string>(...hostileTexts),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
)

export const anyNumber = fc.oneof(
  fc.constantFrom<number>(...hostileNumbers),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

const scalar = fc.oneof(anyText, anyNumber, fc.boolean(), fc.constant(null))

/** A key named `__proto__` would not be one of the object's own. */
const fromEntries = (entries: readonly (readonly [string, unknown])[]): unknown =>
  Object.fromEntries(entries)

/** Plain JSON of any shape, not deep. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(anyText, tie('value')), { maxLength: 5 }).map(fromEntries),
  ),
})).value

/** `levels` lists or mappings inside each other. */
export function nested(levels: number, kind: 'list' | 'mapping'): string {
  return kind === 'list'
    ? '['.repeat(levels) + ']'.repeat(levels)
    : '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)
}
