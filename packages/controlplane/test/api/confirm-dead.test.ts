import { once } from 'node:events'

import { wireVersion, type Liveness } from '@bulkhead/shared'
import t from 'tap'
import { WebSocket } from 'ws'

import { mintToken } from '../../src/api/auth.ts'
import { facts, serve, type Served } from './serve.ts'

/** A node whose agent has connected, as far as the hello. */
async function connected(served: Served, name: string): Promise<WebSocket> {
  const token = await served.state.write({ actor: 'test' }, (tx) => {
    tx.putNode({
      name,
      facts: facts(),
      labels: {},
      liveness: 'ready',
      livenessReason: '',
      livenessSinceMs: tx.nowMs,
      confirmedDead: false,
      admittance: 'open',
      drainDueAtMs: null,
      joinedAtMs: tx.nowMs,
    })
    return mintToken(tx, { kind: 'node', node: name, zone: null, expiresAtMs: null })
  })
  const socket = new WebSocket(`${served.url.replace('http', 'ws')}/v1/agent/session`, {
    headers: { authorization: `Bearer ${token}` },
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ kind: 'hello', wireVersion, facts: facts(), bootId: 'b' }))
  await once(socket, 'message')
  return socket
}

const become = (served: Served, name: string, liveness: Liveness): Promise<void> =>
  served.state.write({ actor: 'test' }, (tx) => {
    const node = tx.nodes.get(name)
    if (node) tx.putNode({ ...node, liveness, livenessReason: 'a test' })
  })

t.test('a node that is heard from is not dead', async (t) => {
  await using served = await serve()
  const socket = await connected(served, 'n1')
  for (const liveness of ['ready', 'down'] as const) {
    await become(served, 'n1', liveness)
    const { status } = await served.call('POST', '/v1/nodes/n1/confirm-dead', {})
    t.equal(status, 409, liveness)
  }
  socket.terminate()
})

t.test('an agent that was only silent has to introduce itself anew', async (t) => {
  await using served = await serve()
  const socket = await connected(served, 'n1')
  await become(served, 'n1', 'suspect')
  const closed = once(socket, 'close')
  t.equal((await served.call('POST', '/v1/nodes/n1/confirm-dead', {})).status, 200)
  await closed
  t.match(served.state.view.nodes.get('n1'), { confirmedDead: true, liveness: 'lost' })
  const again = await connected(served, 'n2')
  again.terminate()
})
