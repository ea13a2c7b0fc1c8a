import fc from 'fast-check'

import { anyText, nested } from './json.ts'

const tokens = [
  'apiVersion: bulkhead/v1',
  'kind: Service',
  'name: web',
  'zone: data',
  'image: a:1',
  'replicas: ',
  'env: ',
  '---',
  '...',
  '%YAML 1.1',
  '%TAG ! x',
  '? ',
  ': ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '&a ',
  '*a',
  '<<: *a',
  '!!binary ',
  '!!set ',
  '!<x> ',
  '|',
  '>-',
  '"',
  "'",
  '#',
  '\n',
  '\n',
  '\n  ',
  '\n    ',
  '\t',
  ' ',
  '~',
  '.inf',
  '.nan',
  '0o17',
  '1e999',
  '\\x',
  '\r',
  '@',
  '`',
] as const

/** Text made of what YAML gives a meaning to. */
export const yamlish = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<string>(...tokens) },
      { weight: 1, arbitrary: anyText },
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(''))

const aliases = (levels: number, width: number): string => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < levels; level++) {
    const list = Array.from({ length: width }, () => `*a${level - 1}`).join(', ')
    lines.push(`a${level}: &a${level} [${list}]`)
  }
  return lines.join('\n')
}

const mergeChain = (length: number): string =>
  Array.from(
    { length },
    (_, index) => `k${index}: &m${index} { <<: *m${Math.max(0, index - 1)}, a: 1 }`,
  ).join('\n')

const shapes: readonly ((size: number) => string)[] = [
  (size) => aliases(Math.min(size, 60), 9),
  (size) => aliases(2, size),
  mergeChain,
  (size) => nested(size, 'list'),
  (size) => nested(size, 'mapping'),
  (size) => '['.repeat(size),
  (size) => '- '.repeat(size),
  (size) => '? '.repeat(size),
  (size) =>
    Array.from({ length: Math.min(size, 2000) }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  (size) => '---\n'.repeat(size),
  (size) => 'kind: Service\n---\n'.repeat(size),
  (size) => Array.from({ length: size }, (_, index) => `k${index}: 1`).join('\n'),
  (size) => 'a: 1\n'.repeat(size),
  (size) => `a: "${'\\u0041'.repeat(size)}"`,
  (size) => `a: |\n${'  x\n'.repeat(size)}`,
  (size) => `${'k'.repeat(size)}: 1`,
  (size) => `replicas: ${'9'.repeat(size)}`,
  (size) => `replicas: 0.${'0'.repeat(size)}1`,
  (size) => `a: ${'&x '.repeat(size)}1`,
  (size) => `a: ${'!x '.repeat(size)}1`,
  (size) => '#'.repeat(size),
  (size) => '"'.repeat(size),
  (size) => `a: ${'b: '.repeat(size)}`,
  (size) => '%TAG ! x\n'.repeat(size),
  (size) => `${' '.repeat(size)}a: 1`,
  (size) => `\t${'\t\n'.repeat(size)}`,
]

/** Little text that means much work, by its size. */
export const bomb = fc
  .tuple(fc.constantFrom(...shapes), fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 50_000 })))
  .map(([shape, size]) => shape(size + 1))
