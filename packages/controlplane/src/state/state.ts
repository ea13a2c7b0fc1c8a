import { BulkheadError, counted, type Clock, type ClusterEvent } from '@bulkhead/shared'

import type { Logger } from '../logger.ts'
import { StoreConflict, StoreUnusable, type Store } from '../store/store.ts'
import { changedOf, mergeChanges } from './change.ts'
import { createCluster } from './create-cluster.ts'
import { EventPruner } from './event-pruner.ts'
import { EventRing, type EventQuery } from './event-ring.ts'
import { Feed } from './feed.ts'
import { GroupCommit, type Written } from './group-commit.ts'
import { loadTables } from './load.ts'
import { OpenTransaction, undoChanges } from './open-transaction.ts'
import { TablesView } from './tables-view.ts'
import { Tables } from './tables.ts'
import type { Authorship, ClusterView, Transaction } from './view.ts'

export interface StateLimits {
  /** Transactions that may wait for the store; more are refused with `too-many-requests`. */
  readonly maxWaiting: number
  readonly maxCommitsKept: number
  readonly maxChangesKept: number
  readonly eventsInMemory: number
  readonly eventsInStore: number
}

export const defaultStateLimits: StateLimits = {
  maxWaiting: 10_000,
  maxCommitsKept: 10_000,
  maxChangesKept: 100_000,
  eventsInMemory: 10_000,
  eventsInStore: 100_000,
}

export interface StateDeps {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** The id that the cluster gets if this is its first start. */
  readonly newClusterId: () => string
  /** The store is lost to this process (conflict or damage): no write is taken any more, it has to end. */
  readonly onFatal: (error: Error) => void
  /** Calls `run` once, after the current turn of the event loop; a simulator passes its own. */
  readonly schedule?: (run: () => void) => void
  readonly limits?: Partial<StateLimits>
}

/** Is told what is about to go to the disk; what it writes in turn goes with it, and costs no sync of its own. */
export type Answer = (written: readonly Written[]) => void

/** A read whose view was taken back is made again so many times before it is refused. */
const maxReadAttempts = 5

/** Loads everything from the store; the very first time, creates the cluster and its zones. */
export async function openState(deps: StateDeps): Promise<State> {
  const limits = { ...defaultStateLimits, ...deps.limits }
  const loaded = await deps.store.load()
  const tables = new Tables()
  const known = loadTables(tables, loaded.records)
  const events = new EventRing(limits.eventsInMemory)
  for (const event of loaded.events) events.push(event)
  if (known !== null) {
    return new State(deps, { limits, tables, events, cluster: known, revision: loaded.revision })
  }
  const { cluster, revision, event } = await createCluster(deps, loaded.revision)
  events.push(event)
  return new State(deps, { limits, tables, events, cluster, revision })
}

interface Opened {
  readonly limits: StateLimits
  readonly tables: Tables
  readonly events: EventRing
  readonly cluster: string
  readonly revision: number
}

/** The whole truth and the only way to change it. */
export class State {
  /** All records as they are now, which may be ahead of the disk for the length of one commit: see `read`. */
  readonly view: ClusterView
  /** What became durable, commit by commit. */
  readonly feed: Feed
  /** Tells this process from others that have worked, or will work, on the same state. */
  readonly openedAtMs: number
  readonly #deps: StateDeps
  readonly #opened: Opened
  readonly #commits: GroupCommit
  readonly #pruner: EventPruner
  #revision: number
  #running = false
  #answer: Answer | null = null
  /** Why no more writes are taken; null: they are. */
  #closed: BulkheadError | null = null
  /** Why the last commit failed; null: it did not. */
  #refusal: BulkheadError | null = null

  constructor(deps: StateDeps, opened: Opened) {
    const { limits, tables, cluster, revision } = opened
    this.#deps = deps
    this.#opened = opened
    this.openedAtMs = deps.clock.nowMs()
    this.#revision = revision
    this.#pruner = new EventPruner({
      store: deps.store,
      logger: deps.logger,
      keep: limits.eventsInStore,
    })
    this.view = new TablesView(tables, cluster, () => this.#revision)
    this.feed = new Feed({
      revision,
      maxCommits: limits.maxCommitsKept,
      maxChanges: limits.maxChangesKept,
      logger: deps.logger,
    })
    this.#commits = new GroupCommit({
      store: deps.store,
      revision,
      schedule: deps.schedule ?? ((run) => setImmediate(run)),
      onGathered: (written) => this.#letAnswer(written),
      onDurable: (written) => this.#publish(written),
      onFailed: (written, error, refusal) => {
        this.#refusal = refusal
        this.#takeBack(written, error)
      },
    })
  }

  /**
   * Runs `fn` at once and synchronously; resolves with its result when everything that it changed, and
   * everything that it saw, is durable. When `fn` throws, nothing happens and that error is the rejection.
   * Other rejections: `store-failed`, after which nothing has happened either, and `too-many-requests`.
   */
  write<T>(author: Authorship, fn: (tx: Transaction) => T): Promise<T> {
    let done: { readonly value: T; readonly settled: Promise<void> }
    try {
      this.#assertWritable()
      const { value, tx } = this.#run(author, fn)
      done = { value, settled: this.#keep(tx) }
    } catch (error) {
      return Promise.reject(error)
    }
    return done.settled.then(() => done.value)
  }

  /** Runs `fn` in a transaction that is then taken back. May be used within another transaction. */
  tryOut<T>(author: Authorship, fn: (tx: Transaction) => T): T {
    const { value, tx } = this.#run(author, fn)
    tx.undo()
    return value
  }

  /**
   * What `fn` makes of the view, once all that it can have seen is durable. `fn` runs again when what it saw
   * had to be taken back, so it must only read. Rejects with `store-failed` when that happens again and again.
   */
  async read<T>(fn: (view: ClusterView) => T): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const value = fn(this.view)
      try {
        await this.settled()
        return value
      } catch (error) {
        if (attempt === maxReadAttempts) throw error
      }
    }
  }

  /**
   * Resolves once everything that is visible now is durable; rejects with `store-failed` when it was taken back.
   * To answer from `view`: make the answer, then wait for this, then send it. `read` does so.
   */
  settled(): Promise<void> {
    return this.#commits.settled()
  }

  /** `answer` is asked, until the signal is aborted, before anything goes to the disk. There is one at most. */
  answerWith(answer: Answer, signal: AbortSignal): void {
    this.#answer = answer
    signal.addEventListener('abort', () => (this.#answer = null), { once: true })
  }

  /** Why the store took no write when it was last tried; null when it took it. */
  get refusal(): BulkheadError | null {
    return this.#closed ?? this.#refusal
  }

  /** The newest matching events that are kept in memory, oldest first. All of them are durable. */
  events(query: EventQuery): ClusterEvent[] {
    return this.#opened.events.find(query)
  }

  /** Takes no more writes; resolves when nothing is on its way to the store. Does not close the store. */
  async close(): Promise<void> {
    this.#closed ??= new BulkheadError('store-failed', 'the control plane is shutting down')
    await this.settled().catch(() => {})
    await this.#pruner.idle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #assertWritable(): void {
    if (this.#closed) throw this.#closed
    if (this.#running) throw new Error('A transaction was started within another one')
    if (this.#commits.waiting < this.#opened.limits.maxWaiting) return
    throw new BulkheadError(
      'too-many-requests',
      `${counted(this.#commits.waiting, 'write is', 'writes are')} waiting for the disk`,
      'try again in a moment',
    )
  }

  /** Leaves the transaction's changes in the tables, unless `fn` throws. */
  #run<T>(author: Authorship, fn: (tx: Transaction) => T): { value: T; tx: OpenTransaction } {
    const { tables, cluster } = this.#opened
    const tx = new OpenTransaction({
      tables,
      cluster,
      revision: this.#revision + 1,
      actor: author.actor,
      nowMs: this.#deps.clock.nowMs(),
    })
    const wasRunning = this.#running
    this.#running = true
    try {
      const value = fn(tx)
      if (value instanceof Promise)
        throw new Error('The function of a transaction must not be async')
      return { value, tx }
    } catch (error) {
      tx.undo()
      throw error
    } finally {
      tx.end()
      this.#running = wasRunning
    }
  }

  #keep(tx: OpenTransaction): Promise<void> {
    const changes = mergeChanges(tx.changes)
    if (changes.length === 0 && tx.events.length === 0) return this.settled()
    this.#revision = tx.revision
    return this.#commits.add({
      revision: tx.revision,
      log: tx.changes,
      changes,
      events: tx.events,
    })
  }

  #letAnswer(written: readonly Written[]): void {
    try {
      this.#answer?.(written)
    } catch (error) {
      // What was written is whole without an answer, too.
      this.#deps.logger.error({ err: error }, 'a write could not be answered at once')
    }
  }

  #publish({ revision, changes, events }: Written): void {
    this.#refusal = null
    for (const event of events) this.#opened.events.push(event)
    this.feed.publish({ revision, changes: changes.map(changedOf), events })
    this.#pruner.added(events.length)
  }

  #takeBack(written: readonly Written[], error: unknown): void {
    for (const { log } of written.toReversed()) undoChanges(this.#opened.tables, log)
    this.#revision = this.feed.revision
    this.#deps.logger.error(
      { err: error, writes: written.length, revision: this.#revision },
      'the store did not take a commit; its writes were taken back',
    )
    if (error instanceof StoreConflict || error instanceof StoreUnusable) {
      this.#closed = new BulkheadError(
        'store-failed',
        `the control plane has lost its store: ${error.message}`,
        'look into the log of the control plane and start it again',
      )
      this.#deps.onFatal(error)
    }
  }
}
