import type { Batch } from '../store.ts'

/** A batch as it is written, in lists of equal length: that is what another thread takes at the least cost. */
export interface EncodedBatch {
  readonly expected: number
  readonly revision: number
  readonly kinds: readonly string[]
  readonly keys: readonly string[]
  /** JSON; null: deleted. */
  readonly values: readonly (string | null)[]
  readonly eventRevisions: readonly number[]
  readonly events: readonly string[]
}

/** Throws when a value has no JSON. */
export function encodeBatch({ expected, revision, changes, events }: Batch): EncodedBatch {
  return {
    expected,
    revision,
    kinds: changes.map(({ kind }) => kind),
    keys: changes.map(({ key }) => key),
    values: changes.map(({ value }) => (value === null ? null : JSON.stringify(value))),
    eventRevisions: events.map((event) => event.revision),
    events: events.map((event) => JSON.stringify(event)),
  }
}
