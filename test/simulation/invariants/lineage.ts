import { isGone, successorInstanceId, type Instance } from '@bulkhead/shared'

import type { Records } from '../records.ts'

/** Successors of a record that an agent may have made while nobody heard of it. */
const longestWalk = 200

/** Whether `id` comes after `ancestor` in its lineage. */
export function descends(id: string, ancestor: string): boolean {
  let next = ancestor
  for (let step = 0; step < longestWalk; step++) {
    next = successorInstanceId(next)
    if (next === id) return true
  }
  return false
}

/** The record that wants the instance to run on the node: its own, or that of a predecessor. */
export function wantedBy(records: Records, id: string, node: string): Instance | undefined {
  const stem = id.slice(0, id.lastIndexOf('-'))
  return [...records.instance.values()].find(
    (record) =>
      record.node === node &&
      record.desired === 'run' &&
      record.lostAtMs === null &&
      !isGone(record) &&
      record.id.startsWith(`${stem}-`) &&
      (record.id === id || descends(id, record.id)),
  )
}
