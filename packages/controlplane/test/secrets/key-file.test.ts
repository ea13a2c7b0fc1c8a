import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { test } from 'tap'

import { readKeys, writeKeys } from '../../src/secrets/key-file.ts'
import { newKey } from '../../src/secrets/vault.ts'

test('keys are in a file of their own that nobody else reads', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-keys-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'secrets.key')
  const first = readKeys(file)
  t.equal(first.length, 1)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(readKeys(file), first)
  const more = [...first, newKey()]
  writeKeys(file, more)
  t.strictSame(readKeys(file), more)
  t.equal(statSync(file).mode & 0o777, 0o600)
  for (const text of ['', 'abc\n', 'id short\n']) {
    writeFileSync(file, text)
    t.throws(() => readKeys(file), /holds no keys of secrets/)
    t.equal(readFileSync(file, 'utf8'), text, 'it is not overwritten')
  }
  t.end()
})
