import { unobserved, type Instance, type ServiceKey } from '@bulkhead/shared'

import type { Transaction } from '../../state/view.ts'
import type { Step } from './step.ts'

export type CreateStep = Extract<Step, { kind: 'create' }>

/** Records tell the order of a slot by their times, which has to be right even after our own clock was set back. */
export function createdAtMs(tx: Transaction, service: ServiceKey, slot: number): number {
  let latestMs = tx.nowMs
  for (const other of tx.instancesOf(service)) {
    if (other.slot === slot && other.createdAtMs >= latestMs) latestMs = other.createdAtMs + 1
  }
  return latestMs
}

/** The record that a `create` step means. */
export function newInstance(service: ServiceKey, step: CreateStep, nowMs: number): Instance {
  return {
    id: step.id,
    service,
    slot: step.slot,
    revision: step.revision,
    node: step.node,
    desired: 'run',
    cause: step.reason,
    withdrawDueAtMs: null,
    lostAtMs: null,
    hostPorts: step.hostPorts,
    predecessor: step.predecessor,
    attempt: step.attempt,
    startAtMs: step.startAtMs,
    createdAtMs: nowMs,
    observed: unobserved,
  }
}
