import { unobserved, type Instance, type ServiceKey } from '@bulkhead/shared'

import type { Step } from './step.ts'

export type CreateStep = Extract<Step, { kind: 'create' }>

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
    lostAtMs: null,
    hostPorts: step.hostPorts,
    predecessor: step.predecessor,
    attempt: step.attempt,
    startAtMs: step.startAtMs,
    createdAtMs: nowMs,
    observed: unobserved,
  }
}
