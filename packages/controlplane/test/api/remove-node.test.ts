import t from 'tap'

import { anInstance, aNode, apply } from '../support/records.ts'
import { serve } from './serve.ts'

t.test('a node keeps what is exclusive for as long as its lease may last', async (t) => {
  await using served = await serve()
  await served.state.write({ actor: 'test' }, (tx) => {
    for (const name of ['n1', 'n2']) tx.putNode(aNode(name))
    apply(tx, { name: 'web' })
    apply(tx, { name: 'db', exclusive: true })
    tx.putInstance(anInstance({ id: 'web-0-x', service: 'default/web', node: 'n2' }))
    tx.putInstance(anInstance({ id: 'db-0-x', service: 'default/db', lostAtMs: 5 }))
  })
  const refused = await served.call('DELETE', '/v1/nodes/n1')
  t.equal(refused.status, 409)
  t.match(refused.body, {
    detail: /node n1 may still run 1 exclusive instance: its lease ends in \d+s/,
    advice: /confirm-dead n1/,
  })
  t.ok(served.state.view.instances.has('db-0-x'), 'so nobody else gets its slot')
  t.equal((await served.call('DELETE', '/v1/nodes/n2')).status, 200, 'what is not exclusive is no reason')
  await served.state.write({ actor: 'test' }, (tx) => tx.putNode({ ...aNode('n1'), liveness: 'lost' }))
  t.equal((await served.call('POST', '/v1/nodes/n1/confirm-dead', {})).status, 200)
  t.equal((await served.call('DELETE', '/v1/nodes/n1')).status, 200)
})
