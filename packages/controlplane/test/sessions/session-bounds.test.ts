import { unobserved, wireVersion } from '@bulkhead/shared'
import { test } from 'tap'

import { closeCodes, type Connection } from '../../src/sessions/connection.ts'
import { Session, type SessionHandlers } from '../../src/sessions/session.ts'
import { facts } from '../api/serve.ts'

const hello = { kind: 'hello', wireVersion, facts: facts(), bootId: 'b' }
const status = { kind: 'status', sequence: 1, reports: [] }

class Recorder implements Connection {
  readonly sent: string[] = []
  readonly closings: { code: number; reason: string }[] = []
  readonly bufferedBytes = 0

  send(text: string): void {
    this.sent.push(text)
  }

  close(code: number, reason: string): void {
    // As WebSockets do.
    if (Buffer.byteLength(reason) > 123) throw new RangeError('the reason is too long')
    this.closings.push({ code, reason })
  }
}

function begin(more: Partial<SessionHandlers> = {}) {
  const connection = new Recorder()
  const problems: unknown[] = []
  const handlers: SessionHandlers = {
    onHello: async (session) => void (session.phase = 'greeted'),
    onInventory: async (session) => void (session.phase = 'synced'),
    onStatus: async () => {},
    onHeartbeat: () => {},
    onEngine: () => {},
    onResync() {},
    onEndpointsApplied: () => {},
    onFacts: async () => {},
    onNotice: async () => {},
    onTraffic: () => {},
    onProblem: (_, error) => problems.push(error),
    ...more,
  }
  const session = new Session('n1', connection, handlers)
  const say = (...messages: readonly object[]): void => {
    for (const message of messages) session.receive(JSON.stringify(message))
  }
  return { session, connection, problems, say }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a reason fits into a close frame, whatever it quotes', async (t) => {
  const { connection, say } = begin()
  const labels = Object.fromEntries([['日'.repeat(200), 1]])
  t.doesNotThrow(() => say({ ...hello, facts: { ...facts(), labels } }))
  t.match(connection.closings, [{ code: closeCodes.badMessage, reason: /^a message does not fit/ }])
})

test('an agent that does not wait for answers is cut off', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { connection, session, say } = begin({ onStatus: () => promise })
  say(hello, { kind: 'inventory', reports: [], unmanaged: 0 })
  await turn()
  for (let count = 0; count < 200; count++) say(status)
  t.same(connection.closings, [], 'a burst is taken')
  for (let count = 0; count < 100; count++) say(status)
  t.match(connection.closings, [{ code: closeCodes.tooFast, reason: /more than it waits/ }])
  t.equal(session.phase, 'closed')
  resolve()
})

test('large messages count by their size', async (t) => {
  const { connection, say } = begin({ onStatus: () => new Promise(() => {}) })
  say(hello, { kind: 'inventory', reports: [], unmanaged: 0 })
  await turn()
  const resync = { kind: 'status', sequence: 1, reports: [large()] }
  for (let count = 0; count < 5; count++) say(resync)
  t.match(connection.closings, [{ code: closeCodes.tooFast }])
})

test('output does not wait for the store, and a bad listener ends only the session', async (t) => {
  const { session, say, problems } = begin({ onStatus: () => new Promise(() => {}) })
  say(hello, { kind: 'inventory', reports: [], unmanaged: 0 })
  await turn()
  const heard: string[] = []
  session.streams.open('a', { kind: 'stats' }, {
    onChunk: ({ data }) => heard.push(data),
    onEnd() {
      throw new Error('a listener failed')
    },
  })
  say(status, { kind: 'stream-data', stream: 1, channel: 'stdout', data: 'eA==' })
  t.same(heard, ['eA=='])
  say({ kind: 'stream-end', stream: 1, exitCode: null, error: '' })
  t.match(problems, [{ message: 'a listener failed' }])
})

test('facts are as large as a node can need', async (t) => {
  const { connection, say } = begin()
  say({ ...hello, facts: facts({ labels: { a: 'x'.repeat(100_000) } }) })
  await turn()
  t.match(connection.closings, [{ code: closeCodes.badMessage, reason: /facts of the node/ }])
})

function large(): object {
  return {
    instance: 'web-0-aaaaaaaa',
    service: 'default/web',
    slot: 0,
    revision: 1,
    origin: 'web-0-aaaaaaaa',
    predecessor: null,
    attempt: 0,
    startAtMs: 0,
    hostPorts: {},
    observed: { ...unobserved, reason: 'x'.repeat(15 * 1024 * 1024) },
  }
}
