import { readFileSync } from 'node:fs'

import { test } from 'tap'

import { errorCatalogue } from '../src/errors.ts'

test('docs/errors.md is the catalogue', async (t) => {
  const text = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  const expected = Object.entries(errorCatalogue).map(
    ([code, { status, exit, title }]) => `| \`${code}\` | ${status} | ${exit} | ${title} |`,
  )
  t.same(rows, expected)
})
