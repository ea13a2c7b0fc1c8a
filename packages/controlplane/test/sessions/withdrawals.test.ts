import {
  isWithdrawing,
  type Instance,
  type ToAgentMessage,
  unobserved,
  wireVersion,
} from '@bulkhead/shared'
import t, { type Test } from 'tap'

import { makeConfig } from '../../src/config/config.ts'
import { Tables } from '../../src/discovery/tables.ts'
import { NodeMonitor } from '../../src/nodes/monitor.ts'
import { applySteps } from '../../src/reconcile/apply-steps.ts'
import { laggards } from '../../src/sessions/core/withdrawal.ts'
import { Hub } from '../../src/sessions/hub.ts'
import { openState } from '../../src/state/state.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { aNode, anInstance, aRevision, aService, silent } from '../state/fixtures.ts'
import { HandClock } from '../support/hand-clock.ts'

const config = makeConfig({}, {})
const drainMs = 5000
const key = 'prod/web'

const healthy: Instance['observed'] = {
  ...unobserved,
  state: 'running',
  health: 'healthy',
  startedAtMs: 1,
  healthySinceMs: 1,
}

/** Two nodes of the application zone with an instance each, and one of the data zone, which does not reach it. */
async function start(t: Test) {
  const clock = new HandClock()
  const fail = (error: unknown): never => {
    throw error
  }
  const options = { clock, logger: silent, newClusterId: () => 'test', onFatal: fail }
  const state = await openState({ store: new MemoryStore(), ...options })
  t.teardown(() => state.close())
  const revision = aRevision(key, 1, {
    ports: {
      http: { port: 80, protocol: 'tcp', host: null, mode: 'http', clientAddress: 'header' },
    },
  })
  const stop = { ...revision.template.stop, drainMs }
  await state.write({ actor: 'test' }, (tx) => {
    for (const name of ['n1', 'n2']) tx.putNode(aNode(name))
    tx.putNode(aNode('d1', { zones: ['data'] }))
    tx.putRevision({ ...revision, template: { ...revision.template, stop } })
    tx.putService(aService(key))
    for (const [slot, node] of ['n1', 'n2'].entries()) {
      const place = { slot, node, hostPorts: { http: 20_000 }, observed: healthy }
      tx.putInstance(anInstance(`web-${slot}`, place))
    }
  })
  const monitor = new NodeMonitor({ state, clock, config: config.nodes, onProblem: fail })
  const tables = new Tables(state.view)
  const { nodes, network } = config
  const hub = new Hub({
    state,
    clock,
    monitor,
    tables,
    config: nodes,
    network,
    registries: [],
    logger: silent,
  })
  state.feed.subscribe((commit) => {
    tables.follow([commit])
    hub.follow([commit])
  }, new AbortController().signal)
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed <= ms; passed += 10) {
      clock.advance(10)
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    }
  }
  const stopFirst = (): Promise<void> =>
    state.write({ actor: 'test' }, (tx) =>
      applySteps(tx, key, [{ kind: 'stop', id: 'web-0', reason: 'scaled' }]),
    )
  return { clock, state, hub, pass, stopFirst }
}

type Started = Awaited<ReturnType<typeof start>>

async function connect({ hub, state, pass }: Started, name: string) {
  const sent: ToAgentMessage[] = []
  const session = hub.open(name, {
    send: (text) => sent.push(JSON.parse(text) as ToAgentMessage),
    close: () => {},
    bufferedBytes: 0,
  })
  const say = (message: object): void => session.receive(JSON.stringify(message))
  const facts = state.view.nodes.get(name)?.facts
  say({ kind: 'hello', wireVersion, facts, bootId: name })
  await pass(10)
  const reports = state.view.instancesOn(name).map((instance) => ({
    instance: instance.id,
    service: key,
    slot: instance.slot,
    revision: 1,
    origin: instance.id,
    predecessor: null,
    attempt: 0,
    startAtMs: 0,
    hostPorts: instance.hostPorts,
    observed: instance.observed,
  }))
  say({ kind: 'inventory', reports, unmanaged: 0 })
  await pass(10)
  const acknowledge = (): void => {
    const last = sent.findLast((message) => message.kind === 'endpoints')
    say({ kind: 'endpoints-applied', revision: last?.revision })
  }
  const orders = (): string[] =>
    sent.flatMap((message) =>
      message.kind === 'assignments' ? message.upserts.map(({ desired }) => desired) : [],
    )
  return { acknowledge, orders, close: () => hub.closed(session) }
}

void t.test('who is behind', async (t) => {
  const of = (sentRevision: number | null, servedRevision: number, isGivenUp = false) =>
    laggards([{ name: 'n', isGivenUp, sentRevision, servedRevision }], 7).length
  t.equal(of(9, 7), 0, 'it goes by tables of then')
  t.equal(of(9, 6), 1)
  t.equal(of(6, 6), 0, 'nothing has changed for it since')
  t.equal(of(null, 9), 1, 'it has no session: nobody knows what it goes by')
  t.equal(of(null, 0, true), 0)
})

void t.test(
  'the order to stop waits until all that may send traffic go by the new table',
  async (t) => {
    const started = await start(t)
    const first = await connect(started, 'n1')
    const second = await connect(started, 'n2')
    await connect(started, 'd1')
    first.acknowledge()
    second.acknowledge()
    await started.stopFirst()
    await started.pass(200)
    t.same(first.orders(), ['run'])
    const held = started.state.view.instances.get('web-0')
    t.ok(held && isWithdrawing(held))
    first.acknowledge()
    await started.pass(200)
    t.same(first.orders(), ['run'], 'the other node has not answered')
    second.acknowledge()
    await started.pass(50)
    t.same(first.orders(), ['run', 'stop'], 'the data zone is not waited for')
  },
)

void t.test('not longer than the drain', async (t) => {
  const started = await start(t)
  const first = await connect(started, 'n1')
  first.acknowledge()
  await started.stopFirst()
  await started.pass(drainMs - 200)
  first.acknowledge()
  t.same(first.orders(), ['run'], 'n2 has no session')
  await started.pass(300)
  t.same(first.orders(), ['run', 'stop'])
})

void t.test('not for a node that is given up, and for one that comes back', async (t) => {
  const started = await start(t)
  const first = await connect(started, 'n1')
  const second = await connect(started, 'n2')
  await started.stopFirst()
  await started.pass(100)
  first.acknowledge()
  second.close()
  const again = await connect(started, 'n2')
  await started.pass(100)
  t.same(first.orders(), ['run'], 'its new session has not acknowledged')
  again.close()
  await started.state.write({ actor: 'test' }, (tx) => {
    const node = tx.nodes.get('n2')
    if (node) tx.putNode({ ...node, liveness: 'lost' })
  })
  await started.pass(100)
  t.same(first.orders(), ['run', 'stop'])
})

void t.test('nodes of the zone that the service has left are waited for', async (t) => {
  const started = await start(t)
  const first = await connect(started, 'n1')
  const second = await connect(started, 'n2')
  first.acknowledge()
  second.acknowledge()
  await started.state.write({ actor: 'test' }, (tx) => {
    const revision = tx.revisionOf(key, 1)
    const service = tx.services.get(key)
    if (!revision || !service) return
    const { spec, template } = revision
    const zone = 'presentation'
    const moved = { spec: { ...spec, zone }, template: { ...template, zone } }
    tx.putRevision({ ...revision, ...moved, revision: 2 })
    tx.putService({ ...service, revision: 2 })
  })
  await started.stopFirst()
  await started.pass(200)
  first.acknowledge()
  await started.pass(200)
  t.same(first.orders(), ['run'], 'the other node has not answered')
  second.acknowledge()
  await started.pass(50)
  t.same(first.orders(), ['run', 'stop'])
})
