import t from 'tap'

import { compose } from '../../src/compose.ts'
import { makeConfig } from '../../src/config/config.ts'
import { StoreFull } from '../../src/store/store.ts'
import { silent } from '../state/fixtures.ts'
import { openForTest } from '../state/open-for-test.ts'
import { HandClock } from '../support/hand-clock.ts'
import { aNode, apply } from '../support/records.ts'

const admin = { actor: 'admin' }
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A control plane with one node, at rest; its loop looks by itself only when the clock is moved. */
async function begin(t: { teardown(run: () => void): void }) {
  const clock = new HandClock()
  const { state, store } = await openForTest({ clock })
  const config = makeConfig({}, {})
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const { loop } = compose({ state, clock, config, registries: [], logger: silent }, stop.signal)
  await state.write(admin, (tx) => tx.putNode(aNode('n1')))
  loop.start(stop.signal)
  const placed = (): number =>
    [...state.view.instances.values()].filter(({ node }) => node === 'n1').length
  const rest = async (): Promise<void> => {
    for (let round = 0; round < 5; round++) {
      clock.advance(1100)
      await turns()
    }
  }
  await rest()
  return { state, store, placed, rest }
}

t.test('what is asked of one service is answered in the commit of the question', async (t) => {
  const { state, store, placed } = await begin(t)
  const before = store.batches.length
  const seen: string[][] = []
  state.feed.subscribe(
    ({ changes }) => void seen.push(changes.map(({ kind }) => kind)),
    new AbortController().signal,
  )
  await state.write(admin, (tx) => void apply(tx, { name: 'web', replicas: 2 }))
  t.equal(placed(), 2, 'when it is acknowledged its instances have their node')
  t.equal(store.batches.length, before + 1, 'and one commit has made both durable')
  t.ok(
    seen[0]?.includes('revision') && !seen[0].includes('instance'),
    'readers get one after the other',
  )
  t.ok(seen[1]?.includes('instance'))
})

t.test('a commit that the disk refuses takes the answer back with the question', async (t) => {
  const { state, store, placed, rest } = await begin(t)
  store.failNext(new StoreFull('no space left on device'))
  await t.rejects(
    state.write(admin, (tx) => void apply(tx, { name: 'web', replicas: 2 })),
    { code: 'store-failed' },
  )
  t.equal(state.view.services.size, 0)
  t.equal(state.view.instances.size, 0)
  await rest()
  t.equal(state.view.instances.size, 0, 'nothing is left to be done for it')
  await state.write(admin, (tx) => void apply(tx, { name: 'web', replicas: 2 }))
  t.equal(placed(), 2, 'and it can be asked for again')
})

t.test('a change of many services is acknowledged before they are looked at', async (t) => {
  const { state, placed, rest } = await begin(t)
  await state.write(admin, (tx) => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) apply(tx, { name, replicas: 1 })
  })
  t.equal(placed(), 0)
  await rest()
  t.equal(placed(), 5)
})

t.test('what an agent reports is answered in the commit of the report', async (t) => {
  const { state, store, rest } = await begin(t)
  await state.write(
    admin,
    (tx) => void apply(tx, { name: 'web', replicas: 2, update: { minHealthyTime: 0 } }),
  )
  await rest()
  const before = store.batches.length
  await state.write({ actor: 'node:n1' }, (tx) => {
    for (const instance of tx.instancesOf('default/web')) {
      const since = { startedAtMs: tx.nowMs, healthySinceMs: tx.nowMs }
      tx.putInstance({
        ...instance,
        observed: { ...instance.observed, state: 'running', health: 'healthy', ...since },
      })
    }
  })
  t.equal(store.batches.length, before + 1)
  t.match(state.view.services.get('default/web'), { status: 'converged', reason: '2 of 2 healthy' })
  await rest()
  const after = store.batches.length
  await state.write({ actor: 'node:n1' }, (tx) => {
    const [instance] = tx.instancesOf('default/web')
    if (instance)
      tx.putInstance({ ...instance, observed: { ...instance.observed, reason: 'as before' } })
  })
  await rest()
  t.equal(
    store.batches.length,
    after + 1,
    'what calls for nothing is looked at, and nothing is written',
  )
})
