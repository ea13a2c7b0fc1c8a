import { splitServiceKey, successorInstanceId } from '@bulkhead/shared'

import type { Action } from './action.ts'
import { isOver } from './backoff.ts'
import { type ContainerInfo, hasEnded } from './container.ts'
import { networkName } from './network-name.ts'
import { planEnded } from './plan-start.ts'
import { idle, lacksLease, type LineageView, type Plan, step, waitUntil } from './view.ts'

/** A link is worth a prepared successor once it has been healthy for this long. */
const settleMs = 2000

/** Running and wanted: watch for its end, take over what the probes say, prepare for its failure. */
export function planRunning(view: LineageView, nowMs: number): Plan {
  const { container, health } = view
  const { current } = view.lineage
  if (container === null || hasEnded(container)) return planEnded(view, container, nowMs)
  // Somebody has made the container anew under the same labels, or the engine has lost its mind: begin again.
  if (container.state === 'created') return planEnded(view, null, nowMs)
  if (lacksLease(view)) return step(endFor(view, leaseEnded))
  if (container.isDetached) return step(endFor(view, detachedReason(view)))
  if (container.state === 'paused') return planPaused(view, container)
  if (health === null) return idle
  if (health.fatal !== '') return step(endFor(view, health.fatal))
  const { observed } = current
  if (health.health !== observed.health || health.reason !== observed.reason) {
    const healthySinceMs = health.health === 'healthy' ? (observed.healthySinceMs ?? nowMs) : null
    const next = { ...observed, health: health.health, reason: health.reason, healthySinceMs }
    return step({ kind: 'observe', instance: current.id, observed: next })
  }
  return planPreparation(view, nowMs)
}

/** What an exclusive instance says when its node can no longer be sure that it is the only one. */
const leaseEnded =
  'the lease of this node has run out: without an answer from the control plane, another instance may take its place'

/** Nobody here pauses containers, so nobody here lets it go on, nor judges it meanwhile. */
function planPaused(view: LineageView, container: ContainerInfo): Plan {
  const { id, observed } = view.lineage.current
  const reason = `somebody has paused its container; to let it go on: docker unpause ${container.name || container.id}`
  if (observed.reason === reason) return idle
  // What has not started yet has still to when it goes on.
  const health = observed.health === 'starting' ? 'starting' : 'unhealthy'
  const paused = { ...observed, health, reason, healthySinceMs: null } as const
  return step({ kind: 'observe', instance: id, observed: paused })
}

function detachedReason(view: LineageView): string {
  const { service, template } = view.lineage.assignment
  const network = networkName(splitServiceKey(service).environment, template.zone)
  return `its container was disconnected from the network ${network} by somebody else`
}

function endFor(view: LineageView, fatal: string): Action {
  const { current } = view.lineage
  const observed = {
    ...current.observed,
    state: 'stopping',
    health: 'unhealthy',
    reason: fatal,
    healthySinceMs: null,
  } as const
  return { kind: 'observe', instance: current.id, observed, ending: fatal }
}

function planPreparation(view: LineageView, nowMs: number): Plan {
  const { current } = view.lineage
  const { healthySinceMs } = current.observed
  if (view.prepared !== null || healthySinceMs === null) return idle
  if (!isOver(healthySinceMs, settleMs, nowMs)) return waitUntil(healthySinceMs + settleMs)
  if (!view.mayPrepare) return idle
  const successor = successorInstanceId(current.id)
  return step({ kind: 'prepare', instance: current.id, successor })
}
