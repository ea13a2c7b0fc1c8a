import { BulkheadError } from '@bulkhead/shared'

import type { MakeInvariant } from './invariant.ts'

/** Messages that a program writes about itself, and not about the world. */
const ownFaults = [
  'a fault of the agent itself',
  'the plan for a lineage does not come to rest',
  'following the engine failed',
  'a feed reader failed',
  'the journal is damaged and was set aside; it is built anew from containers and the control plane',
  'an entry of the journal makes no sense and is left out',
  'the server sent what this agent does not understand',
]
/** Messages that are faults of ours unless the store had refused a write. */
const maybeFaults = [
  'a reconcile could not be written; it is tried again',
  'a message of an agent could not be handled',
  'a change of liveness could not be written',
]

/** Nothing that our own programs call impossible happens. */
export const noFaultOfOurs: MakeInvariant = (world) => ({
  name: 'no-fault-of-ours',
  onLog(_level, message, fields) {
    if (maybeFaults.includes(message)) world.count('no-fault-of-ours')
    const error =
      (fields as { err?: unknown; error?: unknown }).err ?? (fields as { error?: unknown }).error
    const why = (): string =>
      error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(fields)
    if (ownFaults.includes(message)) world.fail('no-fault-of-ours', `${message}: ${why()}`)
    const isOurs = !(error instanceof BulkheadError)
    if (maybeFaults.includes(message) && isOurs)
      world.fail('no-fault-of-ours', `${message}: ${why()}`)
  },
})
