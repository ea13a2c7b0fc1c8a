import { once } from 'node:events'

import { unobserved, wireVersion, type ToAgentMessage } from '@bulkhead/shared'
import { test } from 'tap'
import { WebSocket } from 'ws'

import { document, facts, serve, type Served } from './serve.ts'

/** An agent that runs what it is assigned and answers each question for figures with `figures`. */
async function agentThatTells(served: Served, figures: string): Promise<WebSocket> {
  const { body: made } = await served.call('POST', '/v1/tokens', { kind: 'join' })
  const joined = await fetch(`${served.url}/v1/agent/join`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${(made as { token: string }).token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ name: 'n1', facts: facts() }),
  })
  const { token } = (await joined.json()) as { token: string }
  const socket = new WebSocket(`${served.url.replace('http', 'ws')}/v1/agent/session`, {
    headers: { authorization: `Bearer ${token}` },
  })
  await once(socket, 'open')
  const say = (message: object): void => socket.send(JSON.stringify(message))
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ToAgentMessage
    if (message.kind === 'welcome') {
      say({ kind: 'inventory', reports: [], unmanaged: 0 })
      say({ kind: 'heartbeat', sequence: 1, engineProblem: '' })
    }
    if (message.kind === 'assignments') {
      const reports = message.upserts.map(({ instance, service, slot, revision }) => ({
        instance,
        service,
        slot,
        revision,
        origin: instance,
        predecessor: null,
        attempt: 0,
        startAtMs: 0,
        hostPorts: {},
        observed: { ...unobserved, state: 'running', health: 'healthy' },
      }))
      say({ kind: 'status', sequence: 1, reports })
    }
    if (message.kind !== 'stream-open') return
    const { stream } = message
    const data64 = Buffer.from(figures).toString('base64')
    say({ kind: 'stream-data', stream, channel: 'stdout', data: data64 })
    say({ kind: 'stream-end', stream, exitCode: null, error: '' })
  })
  say({ kind: 'hello', wireVersion, facts: facts(), bootId: 'b' })
  return socket
}

test('figures that are none are left out', async (t) => {
  for (const [figures, count] of [
    ['{"cpuMillis":1,"memoryBytes":2,"pids":3}\n', 1],
    ['{"cpuMillis":"x","memoryBytes":2,"pids":3}', 0],
    ['{', 0],
    ['null', 0],
    ['1'.repeat(100_000), 0],
  ] as const) {
    await using served = await serve()
    await served.call('POST', '/v1/apply', { documents: [document()], allowPending: true })
    const socket = await agentThatTells(served, figures)
    const isRunning = () =>
      [...served.state.view.instances.values()].some(({ observed }) => observed.state === 'running')
    while (!isRunning()) await new Promise((resolve) => setTimeout(resolve, 10))
    const { status, body } = await served.call('GET', '/v1/top/instances')
    t.equal(status, 200)
    t.equal((body as { items: unknown[] }).items.length, count, figures.slice(0, 40))
    socket.terminate()
  }
})

test('a node whose engine does not answer is neither asked nor counted', async (t) => {
  await using served = await serve()
  await served.call('POST', '/v1/apply', { documents: [document()], allowPending: true })
  const socket = await agentThatTells(served, '{"cpuMillis":1,"memoryBytes":2,"pids":3}')
  const { view } = served.state
  const isRunning = () =>
    [...view.instances.values()].some(({ observed }) => observed.state === 'running')
  const soon = () => new Promise((resolve) => setTimeout(resolve, 10))
  while (!isRunning()) await soon()
  const read = async (path: string) =>
    (await served.call('GET', path)).body as { items: { replicas?: object }[] }
  t.equal((await read('/v1/top/nodes')).items.length, 1)
  t.match((await read('/v1/services')).items[0]?.replicas, { healthy: 1 })
  socket.send(JSON.stringify({ kind: 'heartbeat', sequence: 2, engineProblem: 'it is gone' }))
  while (view.nodes.get('n1')?.liveness !== 'down') await soon()
  t.same((await read('/v1/top/nodes')).items, [])
  t.same((await read('/v1/top/instances')).items, [])
  t.match((await read('/v1/services')).items[0]?.replicas, { running: 1, healthy: 0 })
  socket.terminate()
})
