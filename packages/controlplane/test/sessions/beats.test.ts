import { createSocket } from 'node:dgram'
import { once } from 'node:events'

import { type Beat, beatKeyOfToken, decodeBeat, encodeBeat, isSignedBy } from '@bulkhead/shared'
import t, { type Test } from 'tap'

import { makeConfig } from '../../src/config/config.ts'
import { NodeMonitor } from '../../src/nodes/monitor.ts'
import { listenForBeats } from '../../src/sessions/beat-socket.ts'
import { Beats } from '../../src/sessions/beats.ts'
import { silent } from '../state/fixtures.ts'
import { openForTest } from '../state/open-for-test.ts'
import { manualClock } from '../support/manual-clock.ts'
import { aNode } from '../support/records.ts'

const key = beatKeyOfToken('a token')
const beat = (counter: number, more: Partial<Beat> = {}): Uint8Array =>
  encodeBeat({ kind: 'hears', node: 'n1', bootId: 'boot', counter, ...more }, key)

function vouching() {
  const vouched: string[] = []
  const beats = new Beats({ vouched: (node) => vouched.push(node) })
  beats.synced('n1', 'boot', key)
  return { beats, vouched }
}

t.test('a beat is answered and counts once', async (t) => {
  const { beats, vouched } = vouching()
  const answer = beats.receive(beat(1))
  t.ok(answer && isSignedBy(answer, key))
  t.strictSame(decodeBeat(answer ?? new Uint8Array()), { kind: 'answer', node: 'n1', bootId: 'boot', counter: 1 })
  t.equal(beats.receive(beat(1)), null, 'again')
  t.ok(beats.receive(beat(5)))
  t.equal(beats.receive(beat(4)), null, 'late')
  t.same(vouched, ['n1', 'n1'])
})

t.test('what does not come from an agent with a session is not answered', async (t) => {
  const { beats, vouched } = vouching()
  t.equal(beats.receive(beat(1, { node: 'n2' })), null, 'no such node')
  t.equal(beats.receive(beat(1, { bootId: 'before' })), null, 'another process')
  t.equal(beats.receive(beat(1, { kind: 'answer' })), null, 'an answer of our own, sent back')
  const foreign = encodeBeat({ kind: 'hears', node: 'n1', bootId: 'boot', counter: 1 }, beatKeyOfToken('another token'))
  t.equal(beats.receive(foreign), null, 'another key')
  t.equal(beats.receive(Buffer.from('nonsense')), null)
  t.ok(beats.receive(beat(1)), 'none of them has used up the counter')
  beats.forget('n1')
  t.equal(beats.receive(beat(2)), null, 'the node was removed')
  t.same(vouched, ['n1'])
})

t.test('an agent that hears nothing is answered and does not count', async (t) => {
  const { beats, vouched } = vouching()
  t.ok(beats.receive(beat(1, { kind: 'deaf' })))
  t.same(vouched, [])
})

t.test('a new session of the same process goes on counting, one of another begins anew', async (t) => {
  const { beats } = vouching()
  t.ok(beats.receive(beat(9)))
  beats.synced('n1', 'boot', key)
  t.equal(beats.receive(beat(9)), null)
  beats.synced('n1', 'after', key)
  t.equal(beats.receive(beat(10)), null)
  t.ok(beats.receive(beat(1, { bootId: 'after' })))
})

async function watched(t: Test) {
  const clock = manualClock()
  const { state } = await openForTest()
  t.teardown(() => state.close())
  await state.write({ actor: 'test' }, (tx) => tx.putNode(aNode('n1')))
  const { nodes: config } = makeConfig({ nodes: { suspectAfter: '2s', lostAfter: '4s' } }, {})
  const onProblem = (error: unknown): never => {
    throw error
  }
  const monitor = new NodeMonitor({ state, clock, config, onProblem })
  const pass = async (ms: number, each: () => void): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += 200) {
      clock.advance(200)
      each()
      monitor.check()
      await state.settled()
      await new Promise(setImmediate)
    }
  }
  const liveness = (): string | undefined => state.view.nodes.get('n1')?.liveness
  // Beyond the grace after the start.
  await pass(11_000, () => monitor.heard('n1', ''))
  return { monitor, pass, liveness }
}

t.test('beats keep a node while its connection is held up, but not for ever', async (t) => {
  const { monitor, pass, liveness } = await watched(t)
  await pass(25_000, () => monitor.vouched('n1'))
  t.equal(liveness(), 'ready')
  monitor.heard('n1')
  await pass(29_000, () => monitor.vouched('n1'))
  t.equal(liveness(), 'ready', 'what the session says begins the time anew')
  await pass(6000, () => monitor.vouched('n1'))
  t.equal(liveness(), 'lost')
  await pass(1000, () => monitor.vouched('n1'))
  t.equal(liveness(), 'lost', 'and only a session brings it back')
  await pass(200, () => monitor.heard('n1'))
  t.equal(liveness(), 'ready')
})

t.test('a suspect that beats is ready again; beats of a node without a session count for nothing', async (t) => {
  const { monitor, pass, liveness } = await watched(t)
  await pass(2400, () => {})
  t.equal(liveness(), 'suspect')
  await pass(200, () => monitor.vouched('n1'))
  t.equal(liveness(), 'ready')
  monitor.forget('n1')
  await pass(5000, () => monitor.vouched('n1'))
  t.equal(liveness(), 'lost')
})

t.test('beats renew no lease', async (t) => {
  const { monitor, pass } = await watched(t)
  monitor.answered('n1')
  await pass(16_400, () => monitor.vouched('n1'))
  t.ok(monitor.isLeaseOver('n1'))
})

t.test('over UDP', async (t) => {
  const { beats } = vouching()
  const stop = new AbortController()
  const probe = createSocket('udp4').bind(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  const warnings: string[] = []
  const logger = { ...silent, warn: (_: object, text: string) => void warnings.push(text) }
  const taken = new AbortController()
  listenForBeats(beats, { address: '127.0.0.1', port, family: 'IPv4' }, logger, taken.signal)
  for (let turn = 0; turn < 100 && warnings.length === 0; turn++) await new Promise((resolve) => setTimeout(resolve, 10))
  t.match(warnings, [/judged by their sessions alone/], 'a port that is taken')
  taken.abort()
  probe.close()
  await once(probe, 'close')

  listenForBeats(beats, { address: '127.0.0.1', port, family: 'IPv4' }, silent, stop.signal)
  const client = createSocket('udp4')
  const answers: Buffer[] = []
  client.on('message', (data) => answers.push(data))
  for (let counter = 1; counter < 100 && answers.length === 0; counter++) {
    client.send(Buffer.alloc(5000), port, '127.0.0.1')
    client.send(beat(counter), port, '127.0.0.1')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.equal(decodeBeat(answers[0] ?? Buffer.alloc(0))?.kind, 'answer')
  client.close()
  stop.abort()
})
