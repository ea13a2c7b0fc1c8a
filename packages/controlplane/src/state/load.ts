import type { Instance } from '@bulkhead/shared'

import { StoreUnusable, type StoredRecord } from '../store/store.ts'
import { keyOf, type Change, type ChangeKind } from './change.ts'
import type { Tables } from './tables.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** The meta record that names the cluster. */
export const clusterRecordKey = 'cluster'

/** Fills the tables; returns the cluster's id, or null when the store has never been used. */
export function loadTables(tables: Tables, records: Iterable<StoredRecord>): string | null {
  const strings = new Strings()
  let cluster: string | null = null
  let count = 0
  for (const { kind, key, value } of records) {
    count++
    if (kind === 'meta') {
      if (key === clusterRecordKey) cluster = clusterOf(value)
      continue
    }
    checkKey(kind, key, value)
    const after = kind === 'instance' ? strings.share(value as Writable<Instance>) : value
    tables.apply({ kind, key, before: undefined, after } as Change)
  }
  if (cluster === null && count > 0) {
    throw new StoreUnusable('The data has records but no cluster id: restore it from a backup')
  }
  return cluster
}

function clusterOf(value: unknown): string {
  if (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string'
  ) {
    return value.id
  }
  throw new StoreUnusable('The record of the cluster id is damaged: restore the data from a backup')
}

function checkKey(kind: ChangeKind, key: string, value: unknown): void {
  const found =
    typeof value === 'object' && value !== null
      ? (keyOf[kind] as (record: unknown) => unknown)(value)
      : undefined
  if (found === key) return
  throw new StoreUnusable(
    `The ${kind} record under the key ${key} is damaged: restore the data from a backup`,
  )
}

/** Texts that many instances have in common become one text in memory. */
class Strings {
  readonly #known = new Map<string, string>()
  readonly #noPorts = {}

  share(instance: Writable<Instance>): Instance {
    instance.service = this.#text(instance.service)
    if (instance.node !== null) instance.node = this.#text(instance.node)
    instance.cause = this.#text(instance.cause)
    instance.observed.reason = this.#text(instance.observed.reason)
    if (Object.keys(instance.hostPorts).length === 0) instance.hostPorts = this.#noPorts
    return instance
  }

  #text(text: string): string {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    this.#known.set(text, text)
    return text
  }
}
