import { crc32 } from 'node:zlib'

import { recordKinds, type RecordKind, type StoredRecord } from '../store.ts'
import { damage } from './errors.ts'

/** kind, key, value, sum */
export type RecordRow = [kind: string, key: string, value: string, sum: number]

export const checksum = (kind: string, key: string, value: string): number =>
  crc32(value, crc32(`${kind} ${key} `))

const kinds: ReadonlySet<string> = new Set(recordKinds)

/** The record of a row. Throws StoreUnusable when it is not what was written. */
export function decodeRow([kind, key, value, sum]: RecordRow, file: string): StoredRecord {
  const name = `the record ${kind} ${key}`
  if (checksum(kind, key, value) !== sum) throw damage(file, `${name} has a wrong checksum`)
  if (!kinds.has(kind)) throw damage(file, `${name} is of no known kind`)
  try {
    return { kind: kind as RecordKind, key, value: JSON.parse(value) as unknown }
  } catch (error) {
    throw damage(file, `${name} cannot be decoded`, error)
  }
}
