import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { defaultZones } from '@bulkhead/shared'
import fc from 'fast-check'
import t from 'tap'

import { openState, type State } from '../../src/state/state.ts'
import type { Commit } from '../../src/state/view.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { StoreFull, type Store } from '../../src/store/store.ts'
import { ControlledStore } from './controlled-store.ts'
import { silent, stoppedClock } from './fixtures.ts'
import { answersOf, naiveAnswers } from './naive-view.ts'
import { operation, universe, type MutableRecords, type Operation } from './random-operations.ts'

const admin = { actor: 'admin' }

const emptyRecords = (): MutableRecords => ({
  zones: defaultZones,
  services: new Map(),
  revisions: new Map(),
  instances: new Map(),
  nodes: new Map(),
  rollouts: new Map(),
  tokens: new Map(),
})

const copyOf = (records: MutableRecords): MutableRecords => ({
  zones: records.zones,
  services: new Map(records.services),
  revisions: new Map(records.revisions),
  instances: new Map(records.instances),
  nodes: new Map(records.nodes),
  rollouts: new Map(records.rollouts),
  tokens: new Map(records.tokens),
})

/** A state beside its model; commits happen when the test says so. */
class Pair {
  readonly #medium: () => Store
  #store: ControlledStore
  #state: State | null = null
  #scheduled: (() => void)[] = []
  #visible = emptyRecords()
  #durable = emptyRecords()
  #durableRevision = 1
  #waiting: Promise<'durable' | 'refused'>[] = []
  #unaffected: Promise<void>[] = []
  readonly #published: Commit[] = []
  #expectedWrites = 0

  constructor(medium: () => Store) {
    this.#medium = medium
    this.#store = new ControlledStore(medium())
  }

  get state(): State {
    if (this.#state === null) throw new Error('not open')
    return this.#state
  }

  async open(): Promise<void> {
    this.#scheduled = []
    this.#state = await openState({
      store: this.#store,
      clock: stoppedClock,
      logger: silent,
      newClusterId: () => 'model',
      onFatal: (error) => assert.fail(error),
      schedule: (run) => this.#scheduled.push(run),
    })
    const { signal } = new AbortController()
    this.#state.feed.subscribe((commit) => this.#published.push(commit), signal)
  }

  write(operations: readonly Operation[], fails: boolean): void {
    const model = copyOf(this.#visible)
    const revisionBefore = this.state.view.revision
    const done = this.state.write(admin, (tx) => {
      for (const run of operations) run(tx, model)
      if (fails) throw new Error('changed my mind')
    })
    if (fails) {
      assert.equal(this.state.view.revision, revisionBefore)
      this.#unaffected.push(assert.rejects(done, /changed my mind/))
      return
    }
    this.#visible = model
    this.#expectedWrites += this.state.view.revision - revisionBefore
    // What changed nothing and saw nothing but durable data does not depend on the next commit.
    if (this.#expectedWrites === 0) this.#unaffected.push(done)
    else
      this.#waiting.push(
        done.then(
          () => 'durable' as const,
          () => 'refused' as const,
        ),
      )
  }

  tryOut(operations: readonly Operation[]): void {
    const model = copyOf(this.#visible)
    this.state.tryOut(admin, (tx) => {
      for (const run of operations) run(tx, model)
      assert.deepEqual(answersOf(tx, universe), naiveAnswers(model, universe))
    })
  }

  async commit(fails: boolean): Promise<void> {
    const waiting = this.#waiting
    const writes = this.#expectedWrites
    if (fails && writes > 0) this.#store.failNext(new StoreFull('no room'))
    for (const run of this.#scheduled.splice(0)) run()
    const outcomes = new Set(await Promise.all(waiting))
    await Promise.all(this.#unaffected.splice(0))
    this.#waiting = []
    this.#expectedWrites = 0
    if (writes > 0) assert.deepEqual(outcomes, new Set([fails ? 'refused' : 'durable']))
    if (fails && writes > 0) this.#visible = copyOf(this.#durable)
    else {
      this.#durable = copyOf(this.#visible)
      this.#durableRevision += writes
    }
    assert.equal(this.state.view.revision, this.#durableRevision)
    assert.deepEqual(
      this.#published.map((commit) => commit.revision),
      Array.from({ length: this.#durableRevision - 1 }, (_, index) => index + 2),
      'every durable transaction is published once and in order',
    )
  }

  async reload(): Promise<void> {
    await this.commit(false)
    await this.#store.close()
    this.#store = new ControlledStore(this.#medium())
    await this.open()
    assert.equal(this.state.view.revision, this.#durableRevision)
  }

  check(): void {
    assert.deepEqual(answersOf(this.state.view, universe), naiveAnswers(this.#visible, universe))
  }

  async close(): Promise<void> {
    await this.commit(false)
    await this.#store.close()
  }
}

type Step = (pair: Pair) => void | Promise<void>
const operations = fc.array(operation, { minLength: 1, maxLength: 12 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: operations.map(
      (list): Step =>
        (pair) =>
          pair.write(list, false),
    ),
  },
  {
    weight: 2,
    arbitrary: operations.map(
      (list): Step =>
        (pair) =>
          pair.write(list, true),
    ),
  },
  {
    weight: 2,
    arbitrary: operations.map(
      (list): Step =>
        (pair) =>
          pair.tryOut(list),
    ),
  },
  { weight: 4, arbitrary: fc.constant<Step>((pair) => pair.commit(false)) },
  { weight: 2, arbitrary: fc.constant<Step>((pair) => pair.commit(true)) },
  { weight: 1, arbitrary: fc.constant<Step>((pair) => pair.reload()) },
)

async function run(pair: Pair, steps: readonly Step[]): Promise<void> {
  await pair.open()
  for (const take of steps) {
    await take(pair)
    pair.check()
  }
  await pair.reload()
  pair.check()
  await pair.close()
}

t.test('the state answers like its model, in memory', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const store = new MemoryStore()
      const medium = (): Store => {
        store.reopen()
        return store
      }
      await run(new Pair(medium), steps)
    }),
    { numRuns: 1_000 },
  )
})

t.test('the state answers like its model, on disk', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const directory = mkdtempSync(join(tmpdir(), 'bulkhead-model-'))
      try {
        await run(new Pair(() => openSqliteStore({ directory, logger: silent })), steps)
      } finally {
        rmSync(directory, { recursive: true })
      }
    }),
    { numRuns: 100 },
  )
})
