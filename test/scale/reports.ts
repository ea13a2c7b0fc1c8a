import type { InstanceReport } from '@bulkhead/shared'

/** What an instance and an assignment have in common. */
export interface Assigned {
  readonly id: string
  readonly service: string
  readonly slot: number
  readonly revision: number
  readonly attempt: number
  readonly startAtMs: number
  readonly hostPorts: Readonly<Record<string, number>>
}

/** What the agent of a good container says once it runs. */
export function healthyReport(assigned: Assigned, nowMs: number): InstanceReport {
  const { id, service, slot, revision, attempt, startAtMs, hostPorts } = assigned
  return {
    instance: id,
    service,
    slot,
    revision,
    origin: id,
    predecessor: null,
    attempt,
    startAtMs,
    hostPorts,
    observed: {
      state: 'running',
      health: 'healthy',
      reason: '',
      containerId: id.padStart(64, '0'),
      startedAtMs: nowMs,
      healthySinceMs: nowMs,
      finishedAtMs: null,
      exitCode: null,
      neverStarted: false,
    },
  }
}
