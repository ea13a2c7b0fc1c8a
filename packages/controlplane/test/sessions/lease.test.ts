import { type Clock, type Node, type ToAgentMessage, wireVersion } from '@bulkhead/shared'
import t, { type Test } from 'tap'

import { makeConfig } from '../../src/config/config.ts'
import { Tables } from '../../src/discovery/tables.ts'
import { NodeMonitor } from '../../src/nodes/monitor.ts'
import { Hub } from '../../src/sessions/hub.ts'
import { openState } from '../../src/state/state.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { aNode } from '../support/records.ts'
import { silent } from '../state/fixtures.ts'

const config = makeConfig({ nodes: { lease: '15s' } }, {})
/** A lease of 15 s, a hundredth of it, and a second. */
const endMs = 16_150

class Time implements Clock {
  ms = 1_000_000
  /** The wall clock may show anything. */
  wallAheadMs = 0
  readonly nowMs = () => this.ms + this.wallAheadMs
  readonly monotonicMs = () => this.ms
  readonly after = () => ({ cancel: () => {} })
}

async function start(t: Test, time: Time) {
  const onProblem = (error: unknown): never => {
    throw error
  }
  const state = await openState({
    store: new MemoryStore(),
    clock: time,
    logger: silent,
    newClusterId: () => 'test',
    onFatal: onProblem,
  })
  t.teardown(() => state.close())
  const node: Node = aNode('n1')
  await state.write({ actor: 'test' }, (tx) => tx.putNode(node))
  const monitor = new NodeMonitor({ state, clock: time, config: config.nodes, onProblem })
  const tables = new Tables(state.view)
  const hub = new Hub({ state, clock: time, monitor, tables, config: config.nodes, network: config.network, registries: [], logger: silent })
  return { state, monitor, hub, facts: node.facts }
}

type Started = Awaited<ReturnType<typeof start>>

async function connect({ hub, facts }: Started) {
  const sent: ToAgentMessage[] = []
  const closed: string[] = []
  const session = hub.open('n1', {
    send: (text) => sent.push(JSON.parse(text) as ToAgentMessage),
    close: (_code, reason) => closed.push(reason),
    bufferedBytes: 0,
  })
  const say = (message: object): void => session.receive(JSON.stringify(message))
  const heardOf = (kind: string): number => sent.filter((message) => message.kind === kind).length
  const until = async (kind: string): Promise<void> => {
    for (let turn = 0; turn < 1000 && heardOf(kind) === 0; turn++) await new Promise(setImmediate)
  }
  say({ kind: 'hello', wireVersion, facts, bootId: 'b' })
  await until('welcome')
  say({ kind: 'inventory', reports: [], unmanaged: 0 })
  await until('assignments')
  return { sent, closed, say, heardOf }
}

void t.test('a lease ends when nothing was answered for its time and a margin', async (t) => {
  const time = new Time()
  const started = await start(t, time)
  const { monitor } = started
  time.ms += 500
  t.equal(monitor.leaseEndsAtMs('n1'), 1_000_000 + endMs, 'it may have been renewed until our own start')
  const { sent, say } = await connect(started)
  const welcome = sent.find((message) => message.kind === 'welcome')
  t.equal(welcome?.leaseMs, 15_000)
  t.equal(monitor.leaseEndsAtMs('n1'), 1_000_500 + endMs, 'the full set renews it')
  time.ms += 1000
  say({ kind: 'heartbeat', sequence: 1, engineProblem: '' })
  t.equal(monitor.leaseEndsAtMs('n1'), 1_001_500 + endMs)
  time.ms += endMs - 1
  t.notOk(monitor.isLeaseOver('n1'))
  time.ms += 1
  t.ok(monitor.isLeaseOver('n1'))
})

void t.test('a session in which the lease has ended is never answered again', async (t) => {
  const time = new Time()
  const started = await start(t, time)
  const { say, closed, heardOf } = await connect(started)
  say({ kind: 'heartbeat', sequence: 1, engineProblem: '' })
  t.equal(heardOf('heartbeat-ack'), 1)
  time.ms += endMs
  say({ kind: 'status', sequence: 1, reports: [] })
  await new Promise(setImmediate)
  t.ok(started.monitor.isLeaseOver('n1'), 'other messages renew nothing')
  say({ kind: 'heartbeat', sequence: 2, engineProblem: '' })
  t.equal(heardOf('heartbeat-ack'), 1)
  t.match(closed, [/longer than the lease/])
  t.ok(started.monitor.isLeaseOver('n1'))
})

void t.test('time in which the control plane itself stood still shortens no silence that counts for a lease', async (t) => {
  const time = new Time()
  const started = await start(t, time)
  await connect(started)
  started.monitor.check()
  time.ms += endMs
  started.monitor.check()
  t.ok(started.monitor.isLeaseOver('n1'))
})

void t.test('a wall clock that is set moves no lease', async (t) => {
  const time = new Time()
  const started = await start(t, time)
  await connect(started)
  time.wallAheadMs = 3_600_000
  t.notOk(started.monitor.isLeaseOver('n1'))
  time.wallAheadMs = -3_600_000
  time.ms += endMs
  t.ok(started.monitor.isLeaseOver('n1'))
})
