import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'

import { mutations } from './all.ts'

const root = join(import.meta.dirname, '../../..')

t.test('every deliberate bug still has its place in the sources, and only one', async (t) => {
  for (const { name, also = [], ...edit } of mutations) {
    for (const { file, find, replace } of [edit, ...also]) {
      t.equal(readFileSync(join(root, file), 'utf8').split(find).length - 1, 1, `${name}: ${file}`)
      t.not(find, replace)
    }
  }
  t.equal(new Set(mutations.map(({ name }) => name)).size, mutations.length)
})
