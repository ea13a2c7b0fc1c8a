import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'
import t from 'tap'

import { Beats } from '../../src/session/beats.ts'
import { LeaseKeeper } from '../../src/session/lease-keeper.ts'
import { Session } from '../../src/session/session.ts'
import type { SessionHandlers } from '../../src/session/session-deps.ts'
import { RefusedByServer } from '../../src/session/transport.ts'
import { udpDatagrams } from '../../src/session/udp-datagrams.ts'
import { sessionUrl, wsTransport } from '../../src/session/ws-transport.ts'
import { FakeServer } from '../support/fake-server.ts'
import { noFence } from '../support/no-fence.ts'
import { assignment } from '../support/templates.ts'

const facts = {
  address: '10.0.0.1',
  zones: [],
  environments: [],
  labels: {},
  domain: { provider: null, site: null, rack: null, host: 'h' },
  capacity: { cpuMillis: 1, memoryBytes: 1 },
  engine: null,
  agentVersion: '0',
  network: { enforced: true, enforcedReason: '', proxy: null, proxyReason: '' },
}

function begin(server: string, token = 'node-token') {
  const heard: string[] = []
  const handlers: SessionHandlers = {
    facts: () => facts,
    inventory: () => ({ reports: [], unmanaged: 0, isPartial: false }),
    engineProblem: () => '',
    mayRenew: () => true,
    welcome: ({ node }) => heard.push(`welcome ${node}`),
    assignments: ({ from, upserts }) =>
      heard.push(`${from === null ? 'full' : 'delta'} ${upserts.length}`),
    policy: ({ policy }) => heard.push(`policy ${Object.keys(policy.zones).length}`),
    endpoints: ({ tables, revision }) => {
      heard.push(`endpoints ${tables.length}`)
      session.send({ kind: 'endpoints-applied', revision })
    },
    secrets: ({ secrets }) => heard.push(`secrets ${secrets.length}`),
    streamOpen: ({ stream }) => heard.push(`open ${stream}`),
    streamClose: (stream) => heard.push(`close ${stream}`),
    removed: () => heard.push('removed'),
    disconnected: () => heard.push('disconnected'),
  }
  const options = { url: sessionUrl(server), token, bootId: 'boot' }
  const session: Session = new Session(
    {
      clock: systemClock,
      random: () => 0,
      logger: pino({ level: 'silent' }),
      transport: wsTransport,
      lease: new LeaseKeeper({
        clock: systemClock,
        onChange: () => {},
        onRenewed: () => {},
        fence: noFence,
      }),
      beats: new Beats({ clock: systemClock, datagrams: udpDatagrams }, { ...options, node: 'n' }),
      handlers,
    },
    options,
  )
  const controller = new AbortController()
  // Timers of the clock do not keep a process alive.
  const alive = setInterval(() => {}, 1000)
  const running = session.run(controller.signal)
  const end = async (): Promise<void> => {
    controller.abort()
    await running
    clearInterval(alive)
  }
  return { session, heard, end }
}

t.test('over a real connection', async (t) => {
  const server = new FakeServer()
  const { heard, end } = begin(await server.listen())
  await server.until('a session', () => server.of('heartbeat').length > 0)
  t.same(
    server.received.slice(0, 3).map(({ kind }) => kind),
    ['hello', 'inventory', 'heartbeat'],
  )
  server.assign(assignment())
  server.endpoints(true, [])
  await server.until('an answer', () => server.of('endpoints-applied').length > 0)
  t.same(heard, ['welcome node1', 'policy 3', 'full 0', 'delta 1', 'endpoints 0'])
  await end()
  await server.close()
})

t.test('that the node was removed is heard, being cut off is not that', async (t) => {
  const server = new FakeServer()
  const { heard, end } = begin(await server.listen())
  await server.until('a session', () => server.of('inventory').length === 1)
  server.cut()
  await server.until('another', () => server.of('inventory').length === 2, 2000)
  t.notOk(heard.includes('removed'))
  server.removeNode()
  await server.until('the end', () => heard.includes('removed'), 2000)
  await end()
  await server.close()
})

t.test('it comes again when it is cut, and while nobody is there', async (t) => {
  const server = new FakeServer()
  const url = await server.listen()
  const { end, session } = begin(url)
  await server.until('a session', () => server.of('inventory').length === 1)
  server.cut()
  await server.until('another', () => server.of('inventory').length === 2, 2000)
  await server.close()
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.equal(session.isConnected, false)
  const again = new FakeServer({ port: Number(new URL(url).port) })
  await again.listen()
  await again.until('a third', () => again.of('inventory').length === 1, 3000)
  await end()
  await again.close()
})

t.test('what is not acknowledged is not sent without end', async (t) => {
  const server = new FakeServer()
  server.acknowledges = false
  const { session, end } = begin(await server.listen())
  await server.until('a session', () => server.of('heartbeat').length > 0)
  const observed = {
    state: 'running',
    health: 'healthy',
    reason: '',
    containerId: null,
    startedAtMs: null,
    healthySinceMs: null,
    finishedAtMs: null,
    exitCode: null,
    neverStarted: false,
  } as const
  const report = {
    instance: 'a',
    service: 'd/w',
    slot: 0,
    revision: 1,
    origin: 'a',
    predecessor: null,
    attempt: 0,
    startAtMs: 0,
    hostPorts: {},
    observed,
  }
  for (let count = 0; count < 30; count++) {
    session.outbox.put({ ...report, attempt: count })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.equal(server.of('status').length, 8)
  server.acknowledges = true
  server.send({ kind: 'status-ack', sequence: 8 })
  await server.until('the last', () =>
    server.of('status').some(({ reports }) => reports[0]?.attempt === 29),
  )
  t.equal(server.of('status').length, 9, 'what was put meanwhile is one report')
  await end()
  await server.close()
})

t.test('a token that is not good is told apart', async (t) => {
  const server = new FakeServer()
  const url = sessionUrl(await server.listen())
  const handlers = { onMessage: () => {}, onClose: () => {} }
  const refusal = await wsTransport.open(url, 'wrong', handlers).catch((error: unknown) => error)
  t.ok(refusal instanceof RefusedByServer)
  await server.close()
  await t.rejects(wsTransport.open(url, 'node-token', handlers), { code: 'ECONNREFUSED' })
  t.equal(sessionUrl('https://cp:7070'), 'wss://cp:7070/v1/agent/session')
})
