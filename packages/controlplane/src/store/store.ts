import type { ClusterEvent } from '@bulkhead/shared'

/** The kinds of record that are kept. A record is a JSON value under a kind and a key. */
export const recordKinds = [
  'meta',
  'zones',
  'service',
  'external',
  'revision',
  'instance',
  'node',
  'rollout',
  'token',
  'secret',
] as const
export type RecordKind = (typeof recordKinds)[number]

export interface StoredRecord {
  readonly kind: RecordKind
  readonly key: string
  readonly value: unknown
}

/** Everything that one or more transactions changed, in order, from `expected` to `revision`. */
export interface Batch {
  /** The revision that the store must be at. */
  readonly expected: number
  readonly revision: number
  /** At most one entry per kind and key: its last value, or null when it was deleted. */
  readonly changes: readonly { readonly kind: RecordKind; readonly key: string; readonly value: unknown }[]
  readonly events: readonly ClusterEvent[]
}

export interface Loaded {
  readonly revision: number
  readonly records: Iterable<StoredRecord>
  /** The newest events, oldest first, at most as many as are kept. */
  readonly events: readonly ClusterEvent[]
}

/**
 * The durable log under the state. Small on purpose: a replicated store implements the same five methods.
 * Errors: StoreFull and StoreConflict are told apart by class; anything else is a bug or a broken disk.
 */
export interface Store {
  load(): Promise<Loaded>
  /** Resolves once the batch has been synced; after a rejection the store is as it was before. */
  commit(batch: Batch): Promise<void>
  /** Drops all events but the newest `keep`, in bounded portions; returns how many were dropped. */
  pruneEvents(keep: number): Promise<number>
  /** Writes a consistent copy to `file` while in use. */
  backup(file: string): Promise<void>
  close(): Promise<void>
}

/** The disk is full or the file system refuses writes: nothing was written, trying again later may succeed. */
export class StoreFull extends Error {}
/** The store is not at the expected revision: another writer was there. Fatal for this process. */
export class StoreConflict extends Error {}
/** The file is damaged or of a newer version; the message says what to do. Fatal. */
export class StoreUnusable extends Error {}
