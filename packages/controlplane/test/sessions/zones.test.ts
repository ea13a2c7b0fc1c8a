import { once } from 'node:events'

import { wireVersion } from '@bulkhead/shared'
import t from 'tap'
import { WebSocket } from 'ws'

import { facts, serve } from '../api/serve.ts'

t.test('a node serves the zones that it joined with, whatever its agent says later', async (t) => {
  await using served = await serve()
  const { body } = await served.call('POST', '/v1/tokens', { kind: 'join', zone: 'application' })
  const joined = await fetch(`${served.url}/v1/agent/join`, {
    method: 'POST',
    headers: { authorization: `Bearer ${(body as { token: string }).token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'n1', facts: facts() }),
  })
  const { token } = (await joined.json()) as { token: string }
  const socket = new WebSocket(`${served.url.replace('http', 'ws')}/v1/agent/session`, {
    headers: { authorization: `Bearer ${token}` },
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ kind: 'hello', wireVersion, facts: facts({ zones: ['application', 'data'] }), bootId: 'b' }))
  const [, reason] = (await once(socket, 'close')) as [number, Buffer]
  t.match(reason.toString(), /joined with zones application/)
  t.same(served.state.view.nodes.get('n1')?.facts.zones, ['application'])
})
