import { successorInstanceId, unobserved, type Instance, type InstanceReport, type Observed } from '@bulkhead/shared'
import { test } from 'tap'

import { applyInventory, applyReports, endUntold, untoldOf } from '../../src/sessions/core/apply-reports.ts'
import { deltasOf, fullSet } from '../../src/sessions/core/assignments.ts'
import { openState, type State } from '../../src/state/state.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { aRevision, aService, silent, stoppedClock } from '../state/fixtures.ts'

const key = 'default/web'
const first = 'web-0-aaaaaaaa'
const second = successorInstanceId(first)
const third = successorInstanceId(second)

const observed = (changes: Partial<Observed>): Observed => ({ ...unobserved, ...changes })
const running = observed({ state: 'running', health: 'healthy', containerId: 'c1', startedAtMs: 1 })
const failed = observed({ state: 'failed', reason: 'exited with code 1', exitCode: 1, finishedAtMs: 2 })

const instance = (changes: Partial<Instance> = {}): Instance => ({
  id: first,
  service: key,
  slot: 0,
  revision: 1,
  node: 'n1',
  desired: 'run',
  cause: 'a slot to fill',
  withdrawDueAtMs: null,
  lostAtMs: null,
  hostPorts: {},
  predecessor: null,
  attempt: 0,
  startAtMs: 0,
  createdAtMs: 0,
  observed: unobserved,
  ...changes,
})

const report = (id: string, seen: Observed, changes: Partial<InstanceReport> = {}): InstanceReport => ({
  instance: id,
  service: key,
  slot: 0,
  revision: 1,
  origin: first,
  predecessor: null,
  attempt: 0,
  startAtMs: 0,
  hostPorts: {},
  observed: seen,
  ...changes,
})

async function stateWith(...instances: Instance[]): Promise<State> {
  const state = await openState({
    store: new MemoryStore(),
    clock: stoppedClock,
    logger: silent,
    newClusterId: () => 'test',
    onFatal: (error) => {
      throw error
    },
  })
  await state.write({ actor: 'test' }, (tx) => {
    tx.putService(aService(key))
    tx.putRevision(aRevision(key, 1))
    for (const one of instances) tx.putInstance(one)
  })
  return state
}

const take = (state: State, ...reports: InstanceReport[]): Promise<void> =>
  state.write({ actor: 'node:n1' }, (tx) => applyReports(tx, 'n1', reports))
const takeAll = (state: State, ...reports: InstanceReport[]): Promise<void> =>
  state.write({ actor: 'node:n1' }, (tx) => applyInventory(tx, 'n1', reports))
const stateOf = (state: State, id: string): string | undefined => state.view.instances.get(id)?.observed.state

test('what agents report', async (t) => {
  t.test('is taken forward only', async (t) => {
    const state = await stateWith(instance())
    await take(state, report(first, running))
    t.equal(stateOf(state, first), 'running')
    await take(state, report(first, observed({ state: 'starting' })))
    t.equal(stateOf(state, first), 'running', 'an old report changes nothing')
    await take(state, report(first, failed))
    await take(state, report(first, running))
    t.equal(stateOf(state, first), 'failed', 'nothing comes after the end')
    const actions = state.events({ subject: first, limit: 10 }).map(({ action }) => action)
    t.same(actions, ['running', 'healthy', 'failed'])
  })

  t.test('of another node is ignored', async (t) => {
    const state = await stateWith(instance({ node: 'n2' }))
    await take(state, report(first, running))
    t.equal(stateOf(state, first), 'assigned')
    await take(state, report(second, running))
    t.notOk(state.view.instances.has(second))
  })

  t.test('an unchanged report writes nothing', async (t) => {
    const state = await stateWith(instance())
    await take(state, report(first, running))
    const { revision } = state.view
    await take(state, report(first, running))
    t.equal(state.view.revision, revision)
  })

  t.test('a successor gets a record, and its predecessor its end', async (t) => {
    const state = await stateWith(instance({ observed: running }))
    const successor = report(second, observed({ state: 'starting' }), { predecessor: first, attempt: 1 })
    await take(state, report(first, failed), successor)
    t.equal(stateOf(state, first), 'failed')
    const record = state.view.instances.get(second)
    t.match(record, { predecessor: first, attempt: 1, node: 'n1', slot: 0, desired: 'run' })
    t.match(record?.cause, /replaces web-0-aaaaaaaa/)
  })

  t.test('a chain of successors from a time alone', async (t) => {
    const state = await stateWith(instance({ observed: running }))
    await takeAll(state, report(third, running, { predecessor: second, attempt: 2 }))
    t.equal(stateOf(state, first), 'failed')
    t.equal(stateOf(state, third), 'running')
  })

  t.test('a chain that goes on from a successor whose acknowledgement was lost', async (t) => {
    const fourth = successorInstanceId(third)
    const state = await stateWith(
      instance({ observed: failed }),
      instance({ id: second, predecessor: first, attempt: 1, observed: running }),
    )
    // The agent never learnt that the second is on record, and keeps but the newest of its failed ones.
    await takeAll(
      state,
      report(first, failed),
      report(third, failed, { predecessor: second, attempt: 2 }),
      report(fourth, running, { predecessor: third, attempt: 3 }),
    )
    const states = [first, second, third, fourth].map((id) => stateOf(state, id))
    t.same(states, ['failed', 'failed', 'failed', 'running'])
    t.match(state.view.instances.get(fourth), { desired: 'run', predecessor: third, attempt: 3 })
  })

  t.test('a successor of what was given up has its ports until it is gone', async (t) => {
    const state = await stateWith(instance({ observed: running, desired: 'stop', lostAtMs: 5 }))
    await takeAll(state, report(first, failed), report(second, running, { predecessor: first }))
    t.equal(stateOf(state, first), 'failed')
    t.match(state.view.instances.get(second), { desired: 'stop', lostAtMs: 5, observed: { state: 'running' } })
    await takeAll(state)
    t.equal(stateOf(state, second), 'stopped', 'and when it ends, so does the lineage')
  })

  t.test('what has ended of what was given up leaves nothing', async (t) => {
    const state = await stateWith(instance({ observed: running, desired: 'stop', lostAtMs: 5 }))
    await take(state, report(second, observed({ state: 'stopped' }), { predecessor: first }))
    t.notOk(state.view.instances.has(second))
    t.equal(stateOf(state, first), 'stopped')
  })

  t.test('a successor in a slot that was given away when its predecessor had ended is to stop', async (t) => {
    const stopped = observed({ state: 'stopped' })
    const state = await stateWith(instance({ observed: stopped }), instance({ id: 'web-0-other', createdAtMs: 1 }))
    await take(state, report(second, running, { predecessor: first }))
    t.match(state.view.instances.get(second), { desired: 'stop', observed: running }, 'and has its ports until then')
  })

  t.test('a successor beside what an upgrade has still to replace goes on in its slot', async (t) => {
    const old = instance({ id: 'web-0-old', observed: running })
    const state = await stateWith(old, instance({ createdAtMs: 1, observed: running }))
    const starting = observed({ state: 'assigned' })
    await take(state, report(first, failed), report(second, starting, { predecessor: first, attempt: 1 }))
    t.match(state.view.instances.get(second), { desired: 'run', attempt: 1, predecessor: first })
  })

  t.test('… also after our own clock was set back', async (t) => {
    const old = instance({ id: 'web-0-old', observed: running, createdAtMs: 1_000_000 })
    const state = await stateWith(old, instance({ createdAtMs: 1_000_001, observed: running }))
    const ended = observed({ state: 'failed', reason: 'exited with code 1', exitCode: 1, finishedAtMs: 700_000 })
    const starting = observed({ state: 'assigned' })
    await take(state, report(first, ended), report(second, starting, { predecessor: first, attempt: 1 }))
    t.match(state.view.instances.get(second), { desired: 'run', attempt: 1, predecessor: first })
  })

  t.test('a successor of what an upgrade was about to replace goes on, too', async (t) => {
    const fresh = instance({ id: 'web-0-new', createdAtMs: 1, observed: running })
    const state = await stateWith(instance({ observed: running }), fresh)
    const starting = observed({ state: 'assigned' })
    await take(state, report(first, failed), report(second, starting, { predecessor: first, attempt: 1 }))
    t.match(state.view.instances.get(second), { desired: 'run', attempt: 1, predecessor: first })
  })

  t.test('a successor of what was told to stop meanwhile holds the slot until it is gone', async (t) => {
    const state = await stateWith(instance({ observed: running, desired: 'stop' }))
    const starting = observed({ state: 'starting' })
    await takeAll(state, report(first, failed), report(second, starting, { predecessor: first }))
    t.equal(stateOf(state, first), 'failed')
    t.match(state.view.instances.get(second), { desired: 'stop', observed: { state: 'starting' } })
    await take(state, report(second, observed({ state: 'stopped' }), { predecessor: first }))
    t.equal(stateOf(state, second), 'stopped')
  })

  t.test('what was given up without its node having heard of it is gone with the full set that lacks it', async (t) => {
    const state = await stateWith(
      instance({ lostAtMs: 5 }),
      instance({ id: 'web-1-there', slot: 1, lostAtMs: 5, observed: running }),
      instance({ id: 'web-2-wanted', slot: 2 }),
    )
    const untold = untoldOf(state.view, 'n1', [report('web-1-there', running, { origin: 'web-1-there' })])
    t.same(untold, [first])
    await state.write({ actor: 'node:n1' }, (tx) => endUntold(tx, untold))
    t.match(state.view.instances.get(first)?.observed, { state: 'stopped', reason: 'its node was never told of it' })
  })

  t.test('of a chain that is told from its end only a few are believed to be there', async (t) => {
    const state = await stateWith(instance({ observed: running, desired: 'stop' }))
    const chain = [second]
    while (chain.length < 50) chain.push(successorInstanceId(chain.at(-1) ?? ''))
    await take(state, ...chain.toReversed().map((id) => report(id, running)))
    const live = state.view.instancesOf(key).filter((one) => one.observed.state === 'running')
    t.equal(live.length, 8)
    t.ok(state.view.instances.has(chain.at(-1) ?? ''), 'the newest is one of them')
  })

  t.test('what has ended on the way to one that runs takes no place in the slot', async (t) => {
    const state = await stateWith(
      instance({ observed: failed }),
      instance({ id: third, predecessor: second, attempt: 2, createdAtMs: 3, observed: running }),
    )
    await take(state, report(second, observed({ state: 'stopped' }), { predecessor: first }))
    t.notOk(state.view.instances.has(second))
  })

  t.test('an id that does not descend from its origin is not believed', async (t) => {
    const state = await stateWith(instance({ observed: running }))
    await take(state, report('web-0-zzzzzzzz', running, { predecessor: first }))
    t.notOk(state.view.instances.has('web-0-zzzzzzzz'))
    t.equal(stateOf(state, first), 'running')
  })

  t.test('what an inventory lacks of an engine that has not told yet may be there', async (t) => {
    const state = await stateWith(instance({ observed: running }))
    await state.write({ actor: 'node:n1' }, (tx) => applyInventory(tx, 'n1', [], true))
    t.equal(stateOf(state, first), 'running')
    await takeAll(state)
    t.equal(stateOf(state, first), 'failed')
  })

  t.test('what an inventory lacks', async (t) => {
    const ids = ['web-0-run', 'web-1-assigned', 'web-2-stop', 'web-3-lost']
    const state = await stateWith(
      instance({ id: 'web-0-run', observed: running }),
      instance({ id: 'web-1-assigned', slot: 1 }),
      instance({ id: 'web-2-stop', slot: 2, observed: running, desired: 'stop' }),
      instance({ id: 'web-3-lost', slot: 3, observed: running, lostAtMs: 7 }),
    )
    await takeAll(state)
    t.same(ids.map((id) => stateOf(state, id)), ['failed', 'assigned', 'stopped', 'stopped'])
  })
})

test('what agents are told', async (t) => {
  const state = await stateWith(
    instance(),
    instance({ id: 'web-1-b', slot: 1, observed: failed }),
    instance({ id: 'web-2-c', slot: 2, lostAtMs: 1, observed: running }),
    instance({ id: 'web-3-d', slot: 3, node: 'n2' }),
    instance({ id: 'web-4-e', slot: 4, desired: 'stop', observed: running }),
  )
  t.same(fullSet(state.view, 'n1').map(({ instance: id, desired }) => [id, desired]), [
    [first, 'run'],
    ['web-4-e', 'stop'],
  ])
  const from = state.feed.revision
  await take(state, report(first, running))
  let commits = state.feed.since(from)
  t.same(deltasOf(state.view, commits === 'gone' ? [] : commits).size, 0, 'its own reports are no news to it')
  await state.write({ actor: 'test' }, (tx) => {
    const one = tx.instances.get(first)
    if (one) tx.putInstance({ ...one, desired: 'stop' })
    tx.putInstance(instance({ id: 'web-5-f', slot: 5 }))
  })
  await take(state, report('web-4-e', observed({ state: 'stopped' }), { origin: 'web-4-e', slot: 4 }))
  commits = state.feed.since(from)
  const delta = deltasOf(state.view, commits === 'gone' ? [] : commits).get('n1')
  t.same(delta?.upserts.map(({ instance: id, desired }) => [id, desired]), [
    [first, 'stop'],
    ['web-5-f', 'run'],
  ])
  t.same(delta?.removes, ['web-4-e'])
})

test('what no agent can mean is cut to what can be shown', async (t) => {
  const state = await stateWith(instance())
  const odd = { ...running, reason: 'x'.repeat(10_000), startedAtMs: 1e300, healthySinceMs: -1, junk: 'y' }
  await take(state, report(first, odd))
  const record = state.view.instances.get(first)
  t.equal(record?.observed.reason.length, 4096)
  t.doesNotThrow(() => new Date(record?.observed.startedAtMs ?? 0).toISOString())
  t.equal(record?.observed.healthySinceMs, 0)
  t.notHas(record?.observed, { junk: 'y' })
})

test('reports of what follows nothing known are refused in little time', async (t) => {
  const state = await stateWith(instance())
  const startMs = performance.now()
  const invented = Array.from({ length: 5000 }, (_, index) => report(`web-0-x${index}`, running))
  await take(state, ...invented)
  t.equal(state.view.instances.size, 1)
  t.ok(performance.now() - startMs < 5000, 'each link is derived once')
  await take(state, report(third, running))
  t.equal(state.view.instances.get(third)?.observed.state, 'running')
})
