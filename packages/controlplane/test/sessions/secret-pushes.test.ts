import type { ToAgentMessage } from '@bulkhead/shared'
import { test } from 'tap'

import { Secrets } from '../../src/secrets/secrets.ts'
import { newKey, Vault } from '../../src/secrets/vault.ts'
import { SecretPushes } from '../../src/sessions/secret-pushes.ts'
import { Session } from '../../src/sessions/session.ts'
import { aNode, aRevision, aService } from '../state/fixtures.ts'
import { openForTest } from '../state/open-for-test.ts'

type Heard = Extract<ToAgentMessage, { kind: 'secrets' }>['secrets']

function sessionOf(node: string, heard: Heard[]): Session {
  const connection = {
    send: (text: string) => heard.push((JSON.parse(text) as { secrets: Heard }).secrets),
    close: () => {},
    bufferedBytes: 0,
  }
  return new Session(node, connection, {} as ConstructorParameters<typeof Session>[2])
}

test('nodes of the edge are given what they need, and nobody else', async (t) => {
  const { state } = await openForTest()
  t.teardown(() => state.close())
  const vault = new Vault([newKey()])
  const secrets = new Secrets({ state, vault, saveKeys: () => {} })
  await state.write({ actor: 'test' }, (tx) => {
    tx.putNode(aNode('edge1', { zones: ['presentation'] }))
    tx.putNode(aNode('app1', { zones: ['application'] }))
    tx.putService(aService('prod/web'))
    const revision = aRevision('prod/web', 1)
    const expose = [{ port: 'http', listen: 443, host: null, path: '/', tlsSecret: 'cert' }]
    tx.putRevision({ ...revision, spec: { ...revision.spec, zone: 'presentation', expose } })
  })
  const edge: Heard[] = []
  const app: Heard[] = []
  const sessions = [sessionOf('edge1', edge), sessionOf('app1', app)]
  const clock = { nowMs: () => 0, monotonicMs: () => 0, after: (_ms: number, run: () => void) => (run(), { cancel() {} }) }
  const pushes = new SecretPushes({ view: state.view, clock, vault, sessions: () => sessions })
  state.feed.subscribe((commit) => pushes.follow([commit]), new AbortController().signal)
  for (const session of sessions) pushes.begin(session)
  t.strictSame([edge, app], [[[]], [[]]], 'at the beginning everything is said, be it nothing')

  await secrets.set('admin', 'prod/cert', Buffer.from('one'))
  await secrets.set('admin', 'prod/other', Buffer.from('two'))
  await secrets.set('admin', 'prod/cert', Buffer.from('three'))
  const valueOf = (text: string, version: number) => [{ key: 'prod/cert', version, value: Buffer.from(text).toString('base64') }]
  t.strictSame(edge, [[], valueOf('one', 1), valueOf('three', 2)])
  await secrets.rotate('admin')
  t.equal(edge.length, 3, 'another key is nothing to nodes')
  await state.write({ actor: 'test' }, (tx) => {
    const service = tx.services.get('prod/web')
    if (service) tx.putService({ ...service, deleting: true })
  })
  t.strictSame(edge.at(-1), [], 'what is not needed any more is taken back')
  t.equal(app.length, 1, 'a node of another zone hears nothing')
})
