import { unobserved, wireVersion, type FromAgentMessage } from '@bulkhead/shared'
import { test } from 'tap'

import { Session, type SessionHandlers } from '../../src/sessions/session.ts'

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
const report = {
  instance: 'web-0-x',
  service: 'default/web',
  slot: 0,
  revision: 1,
  origin: 'web-0-x',
  predecessor: null,
  attempt: 0,
  startAtMs: 0,
  hostPorts: {},
  observed: unobserved,
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function begin() {
  const heard: string[] = []
  const sent: string[] = []
  const gate = { open: Promise.resolve() }
  const note = (what: string) => async (): Promise<void> => {
    await gate.open
    heard.push(what)
  }
  const handlers: SessionHandlers = {
    onHello: async (session) => {
      await note('hello')()
      session.phase = 'greeted'
    },
    onInventory: async (session) => {
      await note('inventory')()
      session.phase = 'synced'
    },
    onStatus: note('status'),
    onHeartbeat: () => void heard.push('heartbeat'),
    onEngine: (_, problem) => void heard.push(`engine ${problem}`),
    onResync: () => void heard.push('resync'),
    onEndpointsApplied: () => {},
    onFacts: note('facts'),
    onNotice: note('notice'),
    onTraffic: () => {},
    onProblem: (_, error) => void heard.push(String(error)),
  }
  const connection = {
    send: (text: string) => void sent.push(text),
    close: () => {},
    bufferedBytes: 0,
  }
  const session = new Session('n1', connection, handlers)
  const receive = (message: FromAgentMessage): void => session.receive(JSON.stringify(message))
  const beat = (sequence: number, engineProblem: string): void =>
    receive({ kind: 'heartbeat', sequence, engineProblem })
  return { heard, sent, gate, receive, beat }
}

test('how an engine is counts after everything that was said before', async (t) => {
  const { heard, sent, gate, receive, beat } = begin()
  const stored = Promise.withResolvers<void>()
  receive({ kind: 'hello', wireVersion, facts, bootId: 'b' })
  receive({ kind: 'inventory', reports: [], unmanaged: 0 })
  beat(1, 'no socket')
  await turn()
  t.same(heard.splice(0), ['hello', 'inventory', 'engine no socket'], 'also of the first heartbeat')
  gate.open = stored.promise
  receive({ kind: 'status', sequence: 1, reports: [report] })
  beat(2, '')
  await turn()
  t.same(heard.splice(0), ['heartbeat'], 'that the agent is there counts at once')
  t.match(sent.at(-1), /heartbeat-ack/)
  stored.resolve()
  await turn()
  beat(3, '')
  await turn()
  t.same(heard, ['status', 'engine ', 'heartbeat'], 'and is told when it changes')
})
