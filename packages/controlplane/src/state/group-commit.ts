import { BulkheadError, type ClusterEvent } from '@bulkhead/shared'

import { StoreFull, type Batch, type Store } from '../store/store.ts'
import { mergeChanges, type Change } from './change.ts'

/** One transaction that is in memory and on its way to the store. */
export interface Written {
  readonly revision: number
  /** Everything that it did, in order: what is taken back when it cannot be made durable. */
  readonly log: readonly Change[]
  /** The same, one change per record: what is stored and published. */
  readonly changes: readonly Change[]
  readonly events: readonly ClusterEvent[]
}

interface Group {
  readonly written: Written[]
  readonly settled: PromiseWithResolvers<void>
}

export interface GroupCommitDeps {
  readonly store: Pick<Store, 'commit'>
  /** The revision that the store is at. */
  readonly revision: number
  /** Calls `run` once, after the current turn of the event loop. */
  readonly schedule: (run: () => void) => void
  /** Called with what is about to be committed; what is added while it runs is committed with it. */
  readonly onGathered: (written: readonly Written[]) => void
  /** Called in order, before those who wait learn of it. */
  readonly onDurable: (written: Written) => void
  /** Called with everything that is not durable, in order; takes it back before those who wait learn of it. */
  readonly onFailed: (written: readonly Written[], error: unknown, refusal: BulkheadError) => void
}

/**
 * Makes transactions durable: those of one turn of the event loop in one batch, one batch at a time, in order.
 * When a batch fails, so does everything that came after it, because it was built on it.
 */
export class GroupCommit {
  readonly #deps: GroupCommitDeps
  #durable: number
  #gathering: Group = newGroup()
  #inFlight: Group | null = null
  #scheduled = false

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps
    this.#durable = deps.revision
  }

  /** How many transactions wait for the store. */
  get waiting(): number {
    return this.#gathering.written.length + (this.#inFlight?.written.length ?? 0)
  }

  /** Resolves once the transaction is durable; rejects with `store-failed` when it was taken back. */
  add(written: Written): Promise<void> {
    this.#gathering.written.push(written)
    this.#scheduleNext()
    return this.#gathering.settled.promise
  }

  /** Resolves once everything added so far is durable; rejects with `store-failed` when it was taken back. */
  settled(): Promise<void> {
    if (this.#gathering.written.length > 0) return this.#gathering.settled.promise
    return this.#inFlight?.settled.promise ?? Promise.resolve()
  }

  #scheduleNext(): void {
    if (this.#scheduled || this.#inFlight !== null) return
    if (this.#gathering.written.length === 0) return
    this.#scheduled = true
    this.#deps.schedule(() => {
      this.#deps.onGathered([...this.#gathering.written])
      this.#scheduled = false
      void this.#commit()
    })
  }

  async #commit(): Promise<void> {
    const group = this.#gathering
    const last = group.written.at(-1)
    if (last === undefined) return
    this.#gathering = newGroup()
    this.#inFlight = group
    try {
      await this.#deps.store.commit(batchOf(this.#durable, last.revision, group.written))
    } catch (error) {
      this.#fail(group, error)
      return
    }
    this.#durable = last.revision
    this.#inFlight = null
    for (const written of group.written) this.#deps.onDurable(written)
    group.settled.resolve()
    this.#scheduleNext()
  }

  #fail(group: Group, error: unknown): void {
    const after = this.#gathering
    this.#inFlight = null
    this.#gathering = newGroup()
    const refused = refusal(error)
    this.#deps.onFailed([...group.written, ...after.written], error, refused)
    group.settled.reject(refused)
    if (after.written.length > 0) after.settled.reject(refused)
  }
}

function newGroup(): Group {
  return { written: [], settled: Promise.withResolvers<void>() }
}

function batchOf(expected: number, revision: number, group: readonly Written[]): Batch {
  const [only] = group
  const changes =
    group.length === 1 && only ? only.changes : mergeChanges(group.flatMap((one) => one.changes))
  return {
    expected,
    revision,
    changes: changes.map(({ kind, key, after }) => ({ kind, key, value: after ?? null })),
    events: group.flatMap((one) => one.events),
  }
}

function refusal(error: unknown): BulkheadError {
  const why = error instanceof Error ? error.message : String(error)
  const refused = new BulkheadError(
    'store-failed',
    `the write was taken back because the store did not take it: ${why}`,
    error instanceof StoreFull
      ? 'make room on the file system of the data directory, then try again; nothing was changed'
      : 'look into the log of the control plane and at the disk of its data directory; nothing was changed',
  )
  refused.cause = error
  return refused
}
