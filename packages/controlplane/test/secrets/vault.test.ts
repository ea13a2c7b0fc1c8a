import { test } from 'tap'

import { newKey, Vault } from '../../src/secrets/vault.ts'

const value = Buffer.from('the value')

test('what is sealed opens, as long as nothing about it is another', (t) => {
  const vault = new Vault([newKey()])
  const sealed = vault.seal('prod/cert', 1, value)
  t.strictSame(vault.open(sealed), value)
  t.notMatch(JSON.stringify(sealed), /the value/)
  t.not(vault.seal('prod/cert', 1, value).sealed, sealed.sealed, 'each time in another way')
  t.equal(vault.open({ ...sealed, key: 'prod/other' }), null, 'another name')
  t.equal(vault.open({ ...sealed, version: 2 }), null, 'another version')
  t.equal(vault.open({ ...sealed, sealed: sealed.sealed.slice(4) }), null, 'cut')
  t.equal(vault.open({ ...sealed, sealed: '' }), null, 'empty')
  const bytes = Buffer.from(sealed.sealed, 'base64')
  bytes[20] = (bytes[20] ?? 0) ^ 1
  t.equal(vault.open({ ...sealed, sealed: bytes.toString('base64') }), null, 'one bit')
  t.end()
})

test('a new key seals, older ones open until they are forgotten', (t) => {
  const first = newKey()
  const second = newKey()
  const vault = new Vault([first])
  const sealed = vault.seal('a/b', 1, value)
  vault.use([first, second])
  t.strictSame(vault.open(sealed), value)
  t.equal(vault.seal('a/b', 1, value).sealedWith, second[0])
  vault.use([second])
  t.equal(vault.open(sealed), null)
  t.end()
})
