import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { test } from 'tap'

import { secretsNeeded } from '../../src/secrets/core/needed.ts'
import { Secrets } from '../../src/secrets/secrets.ts'
import { type Keys, newKey, Vault } from '../../src/secrets/vault.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { openState } from '../../src/state/state.ts'
import { document, serve } from '../api/serve.ts'
import { aRevision, aService, silent, stoppedClock } from '../state/fixtures.ts'
import { openForTest } from '../state/open-for-test.ts'

const plain = 'NEVER-IN-THE-CLEAR'
const value = Buffer.from(plain).toString('base64')

test('values go in over the API and never come out of it', async (t) => {
  await using served = await serve()
  const set = await served.call('POST', '/v1/secrets/prod/cert', { value })
  t.match(set, { status: 200, body: { version: 1 } })
  t.match((await served.call('POST', '/v1/secrets/prod/cert', { value })).body, { version: 2 })
  const listed = await served.call('GET', '/v1/secrets')
  t.match(listed.body, { items: [{ name: 'cert', environment: 'prod', version: 2 }] })
  for (const path of ['/v1/secrets', '/v1/events']) {
    const { body } = await served.call('GET', path)
    t.notMatch(JSON.stringify(body), new RegExp(`${plain}|${value}`), path)
  }
  t.match((await served.call('GET', '/v1/events')).body, { items: [{}, {}] })
  const refused: [unknown, number][] = [
    [{ value: '' }, 400],
    [{ value: 'not base64!' }, 400],
    [{ value: Buffer.alloc(70_000).toString('base64') }, 413],
    [{}, 400],
  ]
  for (const [body, status] of refused) {
    const answer = await served.call('POST', '/v1/secrets/prod/cert', body)
    t.equal(answer.status, status)
    t.notMatch(JSON.stringify(answer.body), /not base64!/)
  }
  t.equal((await served.call('DELETE', '/v1/secrets/prod/cert')).status, 200)
  t.equal((await served.call('DELETE', '/v1/secrets/prod/cert')).status, 404)
})

test('an apply says which certificates are still to be set', async (t) => {
  await using served = await serve()
  const exposure = (listen: number, secret: string) => ({ port: 'http', listen, host: `${secret}.example`, tls: { secret } })
  const documents = [
    document({
      environment: 'prod',
      zone: 'presentation',
      ports: { http: 8080 },
      expose: [exposure(443, 'cert'), exposure(8443, 'other')],
    }),
  ]
  await served.call('POST', '/v1/secrets/prod/other', { value })
  const warnings = async (): Promise<readonly string[]> => {
    const { body } = await served.call('POST', '/v1/apply', { documents, allowPending: true })
    return (body as { objects: { warnings: string[] }[] }).objects.flatMap((change) => change.warnings)
  }
  const expected = 'there is no secret cert yet: nothing is exposed with it until bulkhead secret set cert -e prod'
  t.strictSame((await warnings()).filter((text) => text.includes('secret')), [expected])
  await served.call('POST', '/v1/secrets/prod/cert', { value })
  t.strictSame((await warnings()).filter((text) => text.includes('secret')), [])
})

test('rotation seals everything anew and forgets the old key', async (t) => {
  const { state } = await openForTest()
  t.teardown(() => state.close())
  const vault = new Vault([newKey()])
  const saved: Keys[] = []
  const secrets = new Secrets({ state, vault, saveKeys: (keys) => saved.push(keys) })
  await secrets.set('admin', 'prod/a', Buffer.from('a'))
  const before = state.view.secrets.get('prod/a')
  t.equal(await secrets.rotate('admin'), 1)
  const after = state.view.secrets.get('prod/a')
  t.not(after?.sealedWith, before?.sealedWith)
  t.equal(after?.version, 1, 'nobody has to be told')
  t.equal(after && vault.open(after)?.toString(), 'a')
  t.strictSame(saved.map((keys) => keys.length), [2, 1], 'the old key goes when the new seals are durable')
})

test('a copy of the store does not hold a value in the clear', async (t) => {
  const directory = join(tmpdir(), `bulkhead-secrets-${process.pid}`)
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const store = openSqliteStore({ directory, logger: silent })
  const onFatal = (error: Error): never => {
    throw error
  }
  const state = await openState({ store, clock: stoppedClock, logger: silent, newClusterId: () => 'c', onFatal })
  const secrets = new Secrets({ state, vault: new Vault([newKey()]), saveKeys: () => {} })
  await secrets.set('admin', 'prod/a', Buffer.from(plain))
  const copy = join(directory, 'copy.db')
  await store.backup(copy)
  const bytes = readFileSync(copy)
  t.ok(bytes.includes('prod/a'))
  t.notOk(bytes.includes(plain))
  t.notOk(bytes.includes(value))
  await state.close()
  await store.close()
})

test('a node gets the certificates of what is exposed in its edge zones', async (t) => {
  const { state } = await openForTest()
  t.teardown(() => state.close())
  const expose = (tlsSecret: string | null) => [{ port: 'http', listen: 443, host: null, path: '/', tlsSecret }]
  await state.write({ actor: 'test' }, (tx) => {
    for (const [key, zone, secret] of [
      ['prod/web', 'presentation', 'cert'],
      ['prod/plain', 'presentation', null],
      ['test/web', 'presentation', 'cert'],
      ['prod/inner', 'application', 'other'],
    ] as const) {
      tx.putService(aService(key))
      const revision = aRevision(key, 1)
      tx.putRevision({ ...revision, spec: { ...revision.spec, zone, expose: expose(secret) } })
    }
  })
  const needs = (zones: string[], environments: string[]) => secretsNeeded(state.view, { zones, environments })
  t.strictSame(needs(['presentation'], []), ['prod/cert', 'test/cert'])
  t.strictSame(needs(['presentation'], ['prod']), ['prod/cert'])
  t.strictSame(needs(['application', 'data'], []), [])
})
