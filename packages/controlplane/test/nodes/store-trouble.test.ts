import { BulkheadError, wireVersion, type Clock, type FromAgentMessage, type Node } from '@bulkhead/shared'
import t from 'tap'

import { compose } from '../../src/compose.ts'
import { makeConfig } from '../../src/config/config.ts'
import { openState } from '../../src/state/state.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { StoreFull } from '../../src/store/store.ts'
import { facts } from '../api/serve.ts'
import { silent } from '../state/fixtures.ts'

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const aNode = (name: string): Node => ({
  name,
  facts: facts(),
  labels: {},
  liveness: 'ready',
  livenessReason: '',
  livenessSinceMs: 0,
  confirmedDead: false,
  admittance: 'open',
  drainDueAtMs: null,
  joinedAtMs: 0,
})

/** A control plane whose time and disk a test commands; its monitor looks when told to. */
async function begin(names: readonly string[]) {
  let nowMs = 100_000
  let full = false
  let hellos = 0
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, after: () => ({ cancel() {} }) }
  const store = new MemoryStore({
    beforeCommit: () => {
      if (full) throw new StoreFull('no space left on device')
    },
  })
  const onFatal = (error: Error): void => {
    t.fail(error.message)
  }
  const state = await openState({ store, clock, logger: silent, newClusterId: () => 'c', onFatal })
  const config = makeConfig({}, {})
  const works = compose({ state, clock, config, registries: [], logger: silent }, new AbortController().signal)
  await state.write({ actor: 'test' }, (tx) => {
    for (const name of names) tx.putNode(aNode(name))
  })
  const connect = async (node: string): Promise<(message: FromAgentMessage) => Promise<void>> => {
    const session = works.hub.open(node, { send() {}, close() {}, bufferedBytes: 0 })
    const say = async (message: FromAgentMessage): Promise<void> => {
      session.receive(JSON.stringify(message))
      await settled()
    }
    // What it says of itself is new each time, so that it has to be written.
    await say({ kind: 'hello', wireVersion, facts: facts({ address: `10.0.0.${(hellos += 1)}` }), bootId: 'b' })
    await say({ kind: 'inventory', reports: [], unmanaged: 0 })
    return say
  }
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 200) {
      nowMs += 200
      works.monitor.check()
      await settled()
    }
  }
  const fill = (isFull: boolean): void => {
    full = isFull
  }
  const liveness = (node: string) => state.view.nodes.get(node)?.liveness
  return { connect, pass, liveness, fill, hub: works.hub }
}

t.test('a store of ours that takes no writes is no silence of theirs', async (t) => {
  const { connect, pass, liveness, fill } = await begin(['a', 'b', 'c', 'd'])
  const others = await Promise.all(['b', 'c', 'd'].map(connect))
  const first = await connect('a')
  for (let second = 0; second < 12; second++) {
    for (const say of [...others, first]) await say({ kind: 'heartbeat', sequence: second, engineProblem: '' })
    await pass(1000)
  }
  fill(true)
  for (let second = 0; second < 12; second++) {
    for (const [index, say] of others.entries()) await say({ kind: 'heartbeat', sequence: index, engineProblem: '' })
    if (second % 3 === 0) await connect('a')
    await pass(1000)
  }
  fill(false)
  for (const say of others) await say({ kind: 'heartbeat', sequence: 99, engineProblem: '' })
  await pass(1000)
  t.not(liveness('a'), 'lost')
  await connect('a')
  await pass(200)
  t.equal(liveness('a'), 'ready')
})

t.test('one whose messages cannot be handled, over and over, does not keep the others from being missed', async (t) => {
  const { connect, pass, liveness, hub } = await begin(['a', 'b', 'c', 'd'])
  const others = await Promise.all(['b', 'c', 'd'].map(connect))
  await connect('a')
  for (let second = 0; second < 24; second++) {
    for (const say of others) await say({ kind: 'heartbeat', sequence: second, engineProblem: '' })
    const session = hub.get('d')
    if (!session) throw new Error('the session has ended')
    hub.onProblem(session, new BulkheadError('not-found', 'there is nothing of that name'))
    others[2] = await connect('d')
    await pass(1000)
  }
  t.equal(liveness('a'), 'lost')
})
