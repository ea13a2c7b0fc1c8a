import fc from 'fast-check'
import t from 'tap'

import { formatImageReference, parseImageReference } from '../../src/index.ts'

const hex = 'a'.repeat(64)
const digest = `sha256:${hex}`

t.test('canonical forms', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['nginx', 'docker.io/library/nginx'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['library/nginx', 'docker.io/library/nginx'],
    ['index.docker.io/nginx', 'docker.io/library/nginx'],
    ['docker.io/nginx', 'docker.io/library/nginx'],
    ['shop/web', 'docker.io/shop/web'],
    [`localhost:5000/a/b:tag@${digest}`, `localhost:5000/a/b:tag@${digest}`],
    ['localhost/x', 'localhost/x'],
    ['registry.internal:5000/shop/web:1.4.2', 'registry.internal:5000/shop/web:1.4.2'],
    ['Registry.Internal/web', 'registry.internal/web'],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    ['[::1]:5000/x', '[::1]:5000/x'],
    ['a.b/c__d/e--f/g.h', 'a.b/c__d/e--f/g.h'],
    ['x:_A-z.9', 'docker.io/library/x:_A-z.9'],
  ]
  for (const [text, canonical] of cases) {
    const reference = parseImageReference(text)
    t.equal(reference && formatImageReference(reference), canonical, text)
  }
})

t.test('what is no reference', async (t) => {
  const cases = [
    '',
    ' ',
    'Nginx',
    'FOO/bar',
    'shop/Web',
    'a b',
    'a:',
    'a:b:c',
    'a@',
    `a@${hex}`,
    `a@sha256:${hex.slice(1)}`,
    `a@sha256:${'A'.repeat(64)}`,
    `a@sha512:${hex}${hex}`,
    `a@${digest}@${digest}`,
    digest,
    hex,
    '/a',
    'a/',
    'a//b',
    'a..b',
    'a___b',
    '-a',
    'a-',
    'a:-x',
    `a:${'x'.repeat(129)}`,
    'localhost:0/a',
    'localhost:70000/a',
    'http://a/b',
    'a.b/../c',
    'a\n',
    'ünïcode',
    '-a.b/c',
    'a.'.repeat(300),
    `${'a/'.repeat(130)}a`,
  ]
  for (const text of cases) t.equal(parseImageReference(text), null, JSON.stringify(text))
})

t.test('a formatted reference parses to itself', async () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/)
  const reference = fc.record({
    host: fc.oneof(
      fc.constantFrom('docker.io', 'localhost', 'localhost:5000'),
      part.map((name) => `${name}.example:443`),
    ),
    repository: fc.tuple(part, part).map((parts) => parts.join('/')),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)),
    digest: fc.option(fc.constant(digest)),
  })
  fc.assert(
    fc.property(reference, (original) => {
      const again = parseImageReference(formatImageReference(original))
      return JSON.stringify(again) === JSON.stringify(original)
    }),
  )
})

t.test('never throws, and what it accepts is canonical', async () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9.:@/_-]{0,40}$/))
  fc.assert(
    fc.property(text, (input) => {
      const reference = parseImageReference(input)
      if (!reference) return true
      const canonical = formatImageReference(reference)
      const again = parseImageReference(canonical)
      return again !== null && formatImageReference(again) === canonical
    }),
    { numRuns: 1000 },
  )
})
