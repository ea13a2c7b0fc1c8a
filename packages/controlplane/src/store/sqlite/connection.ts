import type { EncodedBatch } from './encoded-batch.ts'
import type { Migration } from './migrations.ts'

/** The one connection that writes, in this thread or in another one. Errors are those of `Store`. */
export interface Connection {
  commit(batch: EncodedBatch): Promise<void>
  pruneEvents(keep: number): Promise<number>
  backup(file: string): Promise<void>
  close(): Promise<void>
}

/** What a connection is opened with; can be sent to another thread. */
export interface ConnectionOptions {
  readonly directory: string
  readonly migrations: readonly Migration[]
  readonly pid: number
  readonly maxEventsLoaded: number
  /** The write-ahead log is written back from this size on … */
  readonly checkpointBytes: number
  /** … and from this size on it is made short again. */
  readonly truncateBytes: number
}
