import type { ClusterEvent } from '@bulkhead/shared'

import {
  recordKinds,
  StoreConflict,
  StoreUnusable,
  type Batch,
  type Loaded,
  type RecordKind,
  type Store,
  type StoredRecord,
} from '../store.ts'

export interface MemoryStoreDeps {
  /** Awaited before each commit: to take time, or to throw in place of the commit. */
  readonly beforeCommit?: (batch: Batch) => Promise<void> | void
  /** At most so many of the newest events are loaded. */
  readonly maxEventsLoaded?: number
}

/** The store in memory: for simulations and tests. Values are kept as text, as every other store does. */
export class MemoryStore implements Store {
  readonly #deps: MemoryStoreDeps
  readonly #records = new Map<RecordKind, Map<string, string>>()
  #events: ClusterEvent[] = []
  #revision = 0
  #closed = false

  constructor(deps: MemoryStoreDeps = {}) {
    this.#deps = deps
    for (const kind of recordKinds) this.#records.set(kind, new Map())
  }

  async load(): Promise<Loaded> {
    this.#assertOpen()
    return {
      revision: this.#revision,
      records: this.#decoded(),
      events: this.#events.slice(-(this.#deps.maxEventsLoaded ?? 10_000)),
    }
  }

  async commit(batch: Batch): Promise<void> {
    this.#assertOpen()
    await this.#deps.beforeCommit?.(batch)
    this.#assertOpen()
    if (batch.expected !== this.#revision) {
      throw new StoreConflict(
        `The store is at revision ${this.#revision}, not at ${batch.expected}: somebody else has written`,
      )
    }
    const encoded = batch.changes.map((change) => ({
      ...change,
      text: change.value === null ? null : JSON.stringify(change.value),
    }))
    for (const { kind, key, text } of encoded) {
      if (text === null) this.#records.get(kind)?.delete(key)
      else this.#records.get(kind)?.set(key, text)
    }
    this.#events.push(...batch.events)
    this.#revision = batch.revision
  }

  async pruneEvents(keep: number): Promise<number> {
    const dropped = Math.max(this.#events.length - keep, 0)
    this.#events = this.#events.slice(dropped)
    return dropped
  }

  /** There is no file to copy. */
  async backup(): Promise<void> {
    throw new StoreUnusable('A store in memory cannot be backed up')
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  /** As after a crash: the same data can be loaded by the next process. */
  reopen(): void {
    this.#closed = false
  }

  *#decoded(): Generator<StoredRecord, undefined> {
    for (const kind of recordKinds) {
      const texts = this.#records.get(kind) ?? new Map<string, string>()
      for (const key of [...texts.keys()].toSorted()) {
        yield { kind, key, value: JSON.parse(texts.get(key) ?? 'null') as unknown }
      }
    }
    return undefined
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('The store is closed')
  }
}
