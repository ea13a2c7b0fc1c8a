import { type Node, type ToAgentMessage, wireVersion } from '@bulkhead/shared'
import t, { type Test } from 'tap'

import { makeConfig } from '../../src/config/config.ts'
import { Tables } from '../../src/discovery/tables.ts'
import { NodeMonitor } from '../../src/nodes/monitor.ts'
import { closeCodes } from '../../src/sessions/connection.ts'
import { Hub } from '../../src/sessions/hub.ts'
import { openState } from '../../src/state/state.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { silent } from '../state/fixtures.ts'
import { manualClock } from '../support/manual-clock.ts'
import { aNode } from '../support/records.ts'

const config = makeConfig({ nodes: { suspectAfter: '2s' } }, {})

async function start(t: Test) {
  const clock = manualClock()
  const onProblem = (error: unknown): never => {
    throw error
  }
  const state = await openState({ store: new MemoryStore(), clock, logger: silent, newClusterId: () => 'test', onFatal: onProblem })
  t.teardown(() => state.close())
  const node: Node = aNode('n1')
  await state.write({ actor: 'test' }, (tx) => tx.putNode(node))
  const monitor = new NodeMonitor({ state, clock, config: config.nodes, onProblem })
  const tables = new Tables(state.view)
  const hub = new Hub({ state, clock, monitor, tables, config: config.nodes, network: config.network, registries: [], logger: silent })
  const refusals = (): string[] => state.events({ limit: 100 }).flatMap(({ action, reason }) => (action === 'refused' ? [reason] : []))
  return { hub, clock, facts: node.facts, refusals }
}

type Started = Awaited<ReturnType<typeof start>>

async function connect({ hub, facts }: Started, bootId: string) {
  const sent: ToAgentMessage[] = []
  const closed: (readonly [number, string])[] = []
  const session = hub.open('n1', {
    send: (text) => sent.push(JSON.parse(text) as ToAgentMessage),
    close: (code, reason) => closed.push([code, reason]),
    bufferedBytes: 0,
  })
  const say = (message: object): void => session.receive(JSON.stringify(message))
  const until = async (kind: string): Promise<void> => {
    for (let turn = 0; turn < 1000 && closed.length === 0 && !sent.some((one) => one.kind === kind); turn++) {
      await new Promise(setImmediate)
    }
  }
  say({ kind: 'hello', wireVersion, facts, bootId })
  await until('welcome')
  say({ kind: 'inventory', reports: [], unmanaged: 0 })
  await until('assignments')
  say({ kind: 'heartbeat', sequence: 1, engineProblem: '' })
  await until('heartbeat-ack')
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  return { session, sent, closed, say }
}

void t.test('another agent with the identity of one that is heard is refused', async (t) => {
  const started = await start(t)
  const first = await connect(started, 'first')
  for (let tries = 0; tries < 3; tries++) {
    const second = await connect(started, 'second')
    t.match(second.closed, [[closeCodes.taken, /another agent speaks for node n1/]])
    t.strictSame(second.sent, [], 'and is told nothing')
    started.hub.closed(second.session)
  }
  t.strictSame(first.closed, [])
  t.equal(started.hub.get('n1'), first.session)
  t.match(started.refusals(), [/a second agent with its identity/])
  t.equal(started.refusals().length, 1, 'it is told of once')
})

void t.test('an agent that connects anew takes the place of its own connection', async (t) => {
  const started = await start(t)
  const before = await connect(started, 'first')
  const after = await connect(started, 'first')
  t.match(before.closed, [[closeCodes.superseded, /a newer connection/]])
  t.equal(started.hub.get('n1'), after.session)
})

void t.test('one that has fallen silent does not stand in the way of its successor', async (t) => {
  const started = await start(t)
  const before = await connect(started, 'first')
  started.clock.advance(2000)
  const after = await connect(started, 'second')
  t.match(before.closed, [[closeCodes.superseded, /a newer connection/]])
  t.equal(started.hub.get('n1'), after.session)
  t.strictSame(started.refusals(), [])
})

void t.test('a removed node also loses connections that have not said hello', async (t) => {
  const { hub } = await start(t)
  const closed: number[] = []
  hub.open('n1', { send() {}, close: (code) => closed.push(code), bufferedBytes: 0 })
  hub.evict('n1')
  t.strictSame(closed, [closeCodes.removed])
})

void t.test('one that has missed a change begins anew, with an inventory', async (t) => {
  const started = await start(t)
  const agent = await connect(started, 'first')
  agent.say({ kind: 'resync', reason: 'at revision 1, a change builds on 2' })
  await new Promise(setImmediate)
  t.match(agent.closed, [[closeCodes.restarting, /a change was missed/]])
})
