import { test } from 'tap'

import { document, serve } from '../api/serve.ts'
import { aNode } from '../state/fixtures.ts'

test('an apply says when no node of the zone has a proxy for what is exposed', async (t) => {
  await using served = await serve()
  const known = async (name: string, proxy: string | null, proxyReason: string): Promise<void> => {
    const node = aNode(name, { zones: ['presentation'] })
    const network = { ...node.facts.network, proxy, proxyReason }
    await served.state.write({ actor: 'test' }, (tx) => {
      tx.putNode({ ...node, facts: { ...node.facts, network } })
    })
  }
  const shown = { zone: 'presentation', ports: { http: 8080 } }
  const warnings = async (expose: readonly object[]): Promise<readonly string[]> => {
    const documents = [document({ ...shown, expose })]
    const { body } = await served.call('POST', '/v1/apply', { documents, allowPending: true })
    const { objects } = body as { objects: { warnings: string[] }[] }
    return objects.flatMap((change) => change.warnings).filter((text) => text.includes('proxy'))
  }
  const exposed = [{ port: 'http', listen: 80 }]
  t.strictSame(await warnings(exposed), [], 'nothing is known of any node')
  await known('n1', null, 'HAProxy is not installed')
  t.strictSame(await warnings(exposed), [
    'no node of zone presentation has a proxy, so that nothing is exposed: bulkhead describe node n1 says why',
  ])
  t.strictSame(await warnings([]), [], 'what is not exposed needs none')
  await known('n2', '2.6.12', '')
  t.strictSame(await warnings(exposed), [], 'one is enough')
})
