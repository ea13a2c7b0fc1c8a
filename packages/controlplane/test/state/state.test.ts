import { defaultZones } from '@bulkhead/shared'
import t from 'tap'

import type { Commit, Transaction } from '../../src/state/view.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { StoreConflict, StoreFull, StoreUnusable } from '../../src/store/store.ts'
import { aNode, anInstance, aRevision, aService, aToken, silent } from './fixtures.ts'
import { admin, openForTest } from './open-for-test.ts'

const putToken =
  (id: string) =>
  (tx: Transaction): void =>
    tx.putToken(aToken(id))

t.test('the first start creates the cluster and its zones', async (t) => {
  const medium = new MemoryStore()
  const { state } = await openForTest({}, medium)
  t.equal(state.view.cluster, 'cluster-1')
  t.strictSame(state.view.zones, defaultZones)
  t.equal(state.view.revision, 1)
  t.match(state.events({ limit: 10 }), [{ kind: 'Cluster', action: 'created', revision: 1 }])
  const again = await openForTest({ newClusterId: () => 'cluster-2' }, medium)
  t.equal(again.state.view.cluster, 'cluster-1', 'and later starts find it')
  t.equal(again.state.view.revision, 1)
})

t.test('a write is seen at once and acknowledged when it is durable', async (t) => {
  const { state, store } = await openForTest()
  const seen: number[] = []
  state.feed.subscribe(({ revision }) => seen.push(revision), new AbortController().signal)
  const done = state.write(admin, (tx) => {
    tx.putToken(aToken('a'))
    t.equal(tx.revision, 2)
    t.equal(tx.actor, 'admin')
    t.equal(tx.tokens.size, 1, 'reads its own writes')
    return 'result'
  })
  t.equal(state.view.tokens.size, 1)
  t.equal(state.view.revision, 2)
  t.strictSame(store.batches.length, 1)
  t.equal(await done, 'result')
  t.strictSame(seen, [2], 'readers of the feed know before the writer goes on')
  t.equal(store.batches.length, 2)
})

t.test('a function that throws leaves nothing behind', async (t) => {
  const { state, store } = await openForTest()
  const failure = new Error('no')
  await t.rejects(
    state.write(admin, (tx) => {
      tx.putToken(aToken('a'))
      tx.event({ kind: 'Token', subject: 'a', action: 'created', reason: '' })
      throw failure
    }),
    failure,
  )
  await t.rejects(
    state.write(admin, async (tx) => tx.putToken(aToken('b'))),
    /must not be async/,
  )
  t.equal(state.view.tokens.size, 0)
  t.equal(state.view.revision, 1)
  await state.settled()
  t.equal(store.batches.length, 1)
})

t.test('a transaction without an effect gets no revision', async (t) => {
  const { state, store } = await openForTest()
  const token = aToken('a')
  await state.write(admin, (tx) => tx.putToken(token))
  const value = await state.write(admin, (tx) => {
    tx.putToken(token)
    tx.putToken(aToken('b'))
    tx.deleteToken('b')
    tx.deleteToken('c')
    return 7
  })
  t.equal(value, 7)
  t.equal(state.view.revision, 2)
  t.equal(store.batches.length, 2)
})

t.test('events alone are an effect', async (t) => {
  const { state } = await openForTest()
  await state.write(admin, (tx) =>
    tx.event({ kind: 'Node', subject: 'n', action: 'seen', reason: 'r', actor: 'node:n' }),
  )
  t.equal(state.view.revision, 2)
  t.strictSame(state.events({ kind: 'Node', limit: 1 }), [
    {
      revision: 2,
      at: '2023-11-14T22:13:20.000Z',
      kind: 'Node',
      subject: 'n',
      actor: 'node:n',
      action: 'seen',
      reason: 'r',
    },
  ])
})

t.test('transactions of one turn are one batch, with one change per record', async (t) => {
  const { state, store } = await openForTest()
  const commits: Commit[] = []
  state.feed.subscribe((commit) => commits.push(commit), new AbortController().signal)
  await Promise.all([
    state.write(admin, putToken('a')),
    state.write(admin, putToken('b')),
    state.write(admin, (tx) => {
      tx.deleteToken('a')
      tx.putToken(aToken('b', { hash: 'x' }))
      tx.putToken(aToken('b', { hash: 'y' }))
    }),
  ])
  const [, batch] = store.batches
  t.equal(store.batches.length, 2)
  t.equal(batch?.expected, 1)
  t.equal(batch?.revision, 4)
  t.strictSame(batch?.changes, [{ kind: 'token', key: 'b', value: aToken('b', { hash: 'y' }) }])
  t.strictSame(commits, [
    { revision: 2, events: [], changes: [{ kind: 'token', key: 'a', after: aToken('a') }] },
    { revision: 3, events: [], changes: [{ kind: 'token', key: 'b', after: aToken('b') }] },
    {
      revision: 4,
      events: [],
      changes: [
        { kind: 'token', key: 'a', before: aToken('a') },
        { kind: 'token', key: 'b', before: aToken('b'), after: aToken('b', { hash: 'y' }) },
      ],
    },
  ])
})

t.test('while a commit is in flight, later transactions gather in the next', async (t) => {
  const { state, store } = await openForTest()
  store.hold()
  const first = state.write(admin, putToken('a'))
  await new Promise(setImmediate)
  const later = [state.write(admin, putToken('b')), state.write(admin, putToken('c'))]
  await new Promise(setImmediate)
  t.equal(store.batches.length, 1)
  store.release()
  await Promise.all([first, ...later])
  t.strictSame(
    store.batches.map(({ expected, revision }) => [expected, revision]),
    [
      [0, 1],
      [1, 2],
      [2, 4],
    ],
  )
})

t.test('when a commit fails, all that is not durable is taken back and refused', async (t) => {
  const { state, store, fatal } = await openForTest()
  const published: number[] = []
  state.feed.subscribe(({ revision }) => published.push(revision), new AbortController().signal)
  await state.write(admin, putToken('kept'))
  store.failNext(new StoreFull('no space left'))
  store.hold()
  const inFlight = state.write(admin, (tx) => {
    tx.deleteToken('kept')
    tx.event({ kind: 'Token', subject: 'kept', action: 'deleted', reason: '' })
  })
  await new Promise(setImmediate)
  const gathered = state.write(admin, putToken('kept'))
  const empty = state.write(admin, (tx) => tx.tokens.size)
  const settled = state.settled()
  store.release()
  const writes: Promise<unknown>[] = [inFlight, gathered, empty, settled]
  for (const write of writes) {
    await t.rejects(write, { code: 'store-failed', message: /no space left/, advice: /try again/ })
  }
  t.strictSame([...state.view.tokens.keys()], ['kept'])
  t.equal(state.view.revision, 2)
  t.strictSame(state.events({ subject: 'kept', limit: 5 }), [])
  await state.write(admin, putToken('next'))
  t.equal(state.view.revision, 3, 'and the next write succeeds')
  t.strictSame(published, [2, 3])
  t.strictSame(fatal, [])
})

t.test('a conflict or damage is fatal', async (t) => {
  for (const error of [new StoreConflict('two writers'), new StoreUnusable('damaged')]) {
    const { state, store, fatal } = await openForTest()
    store.failNext(error)
    await t.rejects(state.write(admin, putToken('a')), { code: 'store-failed' })
    t.strictSame(fatal, [error])
    await t.rejects(state.write(admin, putToken('a')), { code: 'store-failed' })
    t.equal(state.view.tokens.size, 0)
  }
})

t.test('more writes than may wait are refused', async (t) => {
  const { state } = await openForTest({ limits: { maxWaiting: 2 } })
  const accepted = [state.write(admin, putToken('a')), state.write(admin, putToken('b'))]
  await t.rejects(state.write(admin, putToken('c')), { code: 'too-many-requests' })
  await Promise.all(accepted)
  await state.write(admin, putToken('c'))
  t.equal(state.view.tokens.size, 3)
})

t.test('tryOut leaves no trace, also inside a transaction', async (t) => {
  const { state } = await openForTest()
  const value = state.tryOut(admin, (tx) => {
    tx.putToken(aToken('a'))
    return tx.tokens.size
  })
  t.equal(value, 1)
  t.equal(state.view.tokens.size, 0)
  await state.write(admin, (tx) => {
    tx.putToken(aToken('b'))
    t.equal(
      state.tryOut(admin, (inner) => {
        inner.deleteToken('b')
        return inner.tokens.size
      }),
      0,
    )
    t.equal(tx.tokens.size, 1)
    tx.putToken(aToken('c'))
  })
  t.equal(state.view.tokens.size, 2)
  t.throws(() =>
    state.tryOut(admin, (tx) => {
      tx.deleteToken('b')
      throw new Error('no')
    }),
  )
  t.equal(state.view.tokens.size, 2)
})

t.test('a transaction cannot be nested or used later', async (t) => {
  const { state } = await openForTest()
  const inner = await state.write(admin, (tx) => {
    tx.putToken(aToken('a'))
    return { write: state.write(admin, putToken('b')).catch((error: unknown) => error) }
  })
  t.match(await inner.write, /within another/)
  let kept: Transaction | undefined
  await state.write(admin, (tx) => {
    kept = tx
  })
  t.throws(() => kept?.putToken(aToken('b')), /after its function/)
  t.throws(
    () => kept?.event({ kind: 'Token', subject: 'b', action: 'x', reason: '' }),
    /after its function/,
  )
  t.equal(state.view.tokens.size, 1)
})

t.test('read answers from durable data only', async (t) => {
  const { state, store } = await openForTest()
  store.hold()
  store.failNext(new StoreFull('no room'))
  const refused = state.write(admin, putToken('a')).catch(() => 'refused')
  const seen: number[] = []
  const answer = state.read((view) => {
    seen.push(view.tokens.size)
    return view.tokens.size
  })
  await new Promise(setImmediate)
  store.release()
  t.equal(await refused, 'refused')
  t.equal(await answer, 0)
  t.strictSame(seen, [1, 0])
})

t.test('a read that never gets durable data is refused', async (t) => {
  const medium = new MemoryStore({
    beforeCommit({ revision }) {
      if (revision > 1) throw new StoreFull('no room')
    },
  })
  const { state } = await openForTest({}, medium)
  let reads = 0
  const answer = state.read((view) => {
    reads++
    state.write(admin, putToken(`${reads}`)).catch(() => undefined)
    return view.tokens.size
  })
  await t.rejects(answer, { code: 'store-failed' })
  t.equal(reads, 5)
  t.equal(state.view.tokens.size, 0)
})

t.test('closing finishes what is on its way and takes no more', async (t) => {
  const { state, store } = await openForTest()
  const last = state.write(admin, putToken('a'))
  await state.close()
  t.equal(store.batches.length, 2)
  await last
  await t.rejects(state.write(admin, putToken('b')), { code: 'store-failed' })
  t.equal(state.view.tokens.size, 1)
})

t.test('events are pruned in the store once enough have come', async (t) => {
  const { state, store } = await openForTest({ limits: { eventsInStore: 20 } })
  for (let round = 0; round < 5; round++) {
    await state.write(admin, (tx) =>
      tx.event({ kind: 'Node', subject: 'n', action: 'seen', reason: `${round}` }),
    )
  }
  t.strictSame(store.pruned, [20, 20, 20], 'at first, and after each tenth of what is kept')
  await state.close()
})

t.test('a failed pruning is told and changes nothing else', async (t) => {
  const warnings: string[] = []
  const logger = { ...silent, warn: (_: object, message: string) => warnings.push(message) }
  const { state, store } = await openForTest({ logger })
  store.pruneEvents = () => Promise.reject(new Error('no room'))
  await state.write(admin, (tx) =>
    tx.event({ kind: 'Node', subject: 'n', action: 'seen', reason: '' }),
  )
  await state[Symbol.asyncDispose]()
  t.strictSame(warnings, ['old events could not be dropped'])
})

t.test('damaged records are named', async (t) => {
  const cases = [
    { kind: 'token', key: 'a', value: { id: 'b' } },
    { kind: 'node', key: 'a', value: 7 },
  ] as const
  for (const change of cases) {
    const medium = new MemoryStore()
    const meta = { kind: 'meta', key: 'cluster', value: { id: 'c' } } as const
    await medium.commit({ expected: 0, revision: 1, changes: [meta, change], events: [] })
    await t.rejects(openForTest({}, medium), new RegExp(`${change.kind} record under the key a`))
  }
  const damagedMeta = [
    [{ kind: 'meta', key: 'cluster', value: {} }],
    [{ kind: 'token', key: 'a', value: aToken('a') }],
  ] as const
  for (const changes of damagedMeta) {
    const medium = new MemoryStore()
    await medium.commit({ expected: 0, revision: 1, changes, events: [] })
    const error: unknown = await openForTest({}, medium).catch((reason: unknown) => reason)
    t.ok(error instanceof StoreUnusable)
  }
})

t.test('records put in while iterating are safe', async (t) => {
  const { state } = await openForTest()
  await state.write(admin, (tx) => {
    tx.putService(aService('prod/web'))
    tx.putRevision(aRevision('prod/web', 1))
    tx.putNode(aNode('n1'))
    for (let slot = 0; slot < 20; slot++) {
      tx.putInstance(anInstance(`web-${slot}`, { slot, node: 'n1' }))
    }
  })
  await state.write(admin, (tx) => {
    for (const { id } of tx.instancesOf('prod/web')) tx.deleteInstance(id)
  })
  t.equal(state.view.instances.size, 0)
  t.strictSame(state.view.usageOf('n1'), {
    cpuMillis: 0,
    memoryBytes: 0,
    instances: 0,
    hostPorts: new Set(),
  })
})

t.test('an answer goes to the disk with what it answers; one that fails costs nothing', async (t) => {
  const { state, store } = await openForTest()
  const stop = new AbortController()
  const told: number[][] = []
  const answers: Promise<void>[] = []
  state.answerWith((written) => {
    told.push(written.map(({ revision }) => revision))
    answers.push(state.write(admin, putToken('answer')))
    throw new Error('a bug')
  }, stop.signal)
  await Promise.all([state.write(admin, putToken('a')), state.write(admin, putToken('b'))])
  t.strictSame(told, [[2, 3]], 'it is asked once for each commit, and not about itself')
  await Promise.all(answers)
  t.equal(store.batches.length, 2)
  t.equal(state.view.tokens.size, 3)
  stop.abort()
  await state.write(admin, putToken('c'))
  t.equal(told.length, 1)
})
