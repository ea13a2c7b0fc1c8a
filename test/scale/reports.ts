import type { InstanceReport } from '@bulkhead/shared'

import type { Instance } from '../../packages/shared/src/model/instance.ts'

/** What the agent of a good container says once it runs. */
export function healthyReport(instance: Instance, nowMs: number): InstanceReport {
  return {
    instance: instance.id,
    service: instance.service,
    slot: instance.slot,
    revision: instance.revision,
    origin: instance.id,
    predecessor: null,
    attempt: instance.attempt,
    startAtMs: instance.startAtMs,
    hostPorts: instance.hostPorts,
    observed: {
      state: 'running',
      health: 'healthy',
      reason: '',
      containerId: instance.id.padStart(64, '0'),
      startedAtMs: nowMs,
      healthySinceMs: nowMs,
      finishedAtMs: null,
      exitCode: null,
      neverStarted: false,
    },
  }
}
