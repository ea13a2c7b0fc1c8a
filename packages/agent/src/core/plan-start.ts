import { isOver } from './backoff.ts'
import { type ContainerInfo, hasEnded } from './container.ts'
import { exitCause, failedObservation, neverStarted, successorOf } from './failure.ts'
import { initialHealth } from './health.ts'
import type { Link } from './lineage.ts'
import { awaitsLease, idle, type LineageView, type Plan, step, waitUntil } from './view.ts'

/** From assigned to running. */
export function planStart(view: LineageView, nowMs: number): Plan {
  const { container } = view
  if (container === null) return planWithoutContainer(view, nowMs)
  if (container.state === 'created') return planCreated(view, container, nowMs)
  if (hasEnded(container)) return planEnded(view, container, nowMs)
  return step({ kind: 'observe', ...runs(view, container, nowMs) })
}

/** What follows the end of a container that was wanted: its cause, and the successor. */
export function planEnded(view: LineageView, container: ContainerInfo | null, nowMs: number): Plan {
  const { current, assignment } = view.lineage
  const exit =
    container === null
      ? 'its container was removed by somebody else'
      : exitCause(container, assignment.template.resources.memoryBytes)
  const reason = current.ending === '' ? exit : current.ending
  const observed = failedObservation(current, reason, container, nowMs)
  const successor = successorOf(view.lineage, observed, nowMs)
  return step({ kind: 'succeed', instance: current.id, observed, successor })
}

function planWithoutContainer(view: LineageView, nowMs: number): Plan {
  const { current, assignment } = view.lineage
  const { image } = assignment.template
  const { observed } = current
  if (observed.state === 'starting') return planEnded(view, null, nowMs)
  const dueAtMs = startDueAt(view, current, nowMs)
  // The agent's own successors are made ahead of their time. What could not be made before is not: it would fail
  // again at once, and again, without any back-off.
  if (awaitsLease(view)) return waitForLease(view)
  if (nowMs < dueAtMs && (current.predecessor === null || view.imageAbsent)) {
    const reason = backoffReason(current)
    if (observed.reason === reason) return waitUntil(dueAtMs)
    return step({ kind: 'observe', instance: current.id, observed: { ...observed, reason } })
  }
  if (!view.imageAbsent) return step({ kind: 'create', instance: current.id })
  if (image.local) {
    const reason = `the image ${image.name} is not on this node, and local images are never pulled`
    return step({
      kind: 'observe',
      instance: current.id,
      observed: neverStarted(current, reason, nowMs),
    })
  }
  const pull = { kind: 'pull', instance: current.id } as const
  if (observed.state !== 'assigned' && observed.state !== 'pending') return step(pull)
  const reason = `the image ${image.name} is being pulled`
  const pulling = { ...observed, state: 'pulling', reason } as const
  return step({ kind: 'observe', instance: current.id, observed: pulling })
}

function planCreated(view: LineageView, container: ContainerInfo, nowMs: number): Plan {
  const { current } = view.lineage
  const { observed } = current
  const dueAtMs = startDueAt(view, current, nowMs)
  const isDue = nowMs >= dueAtMs
  if (observed.containerId !== container.id || !isAtLeastCreated(observed.state)) {
    const reason = isDue ? 'its container is being started' : backoffReason(current)
    const created = { ...observed, state: later(observed.state), reason, containerId: container.id }
    return step({ kind: 'observe', instance: current.id, observed: created })
  }
  if (!isDue) return waitUntil(dueAtMs)
  if (awaitsLease(view)) return waitForLease(view)
  if (view.rival !== null) return waitFor(view, `until ${view.rival} of the same slot has ended`)
  const start = { kind: 'start', instance: current.id, containerId: container.id } as const
  if (observed.state === 'starting') return step(start)
  const starting = {
    ...observed,
    state: 'starting',
    reason: 'its container is being started',
  } as const
  return step({ kind: 'observe', instance: current.id, observed: starting })
}

const waitForLease = (view: LineageView): Plan =>
  waitFor(view, 'until the control plane has answered this node')

/** It is planned anew when the lease is back, or when the slot is free. */
function waitFor({ lineage: { current } }: LineageView, what: string): Plan {
  const reason = `it is exclusive, and waits ${what}`
  if (current.observed.reason === reason) return idle
  return step({ kind: 'observe', instance: current.id, observed: { ...current.observed, reason } })
}

/** Clocks may be wrong, or be set: no wait is longer than the longest back-off, as far as can be told. */
function startDueAt(view: LineageView, current: Link, nowMs: number): number {
  const { maxDelayMs } = view.lineage.assignment.template.restart
  if (isOver(current.knownAtMs, maxDelayMs, nowMs)) return nowMs
  return Math.min(current.startAtMs, current.knownAtMs + maxDelayMs)
}

function backoffReason(current: Link): string {
  const failures = current.attempt === 1 ? 'one failure' : `${current.attempt} failures in a row`
  return `it waits before it is started, after ${failures}`
}

const isAtLeastCreated = (state: string): boolean => state === 'created' || state === 'starting'
const later = (state: string): 'created' | 'starting' =>
  state === 'starting' ? 'starting' : 'created'

function runs(view: LineageView, container: ContainerInfo, nowMs: number) {
  const { current, assignment } = view.lineage
  const { health, reason } = initialHealth(assignment.template.health)
  const startedAtMs = current.observed.startedAtMs ?? container.startedAtMs ?? nowMs
  const observed = {
    ...current.observed,
    state: 'running',
    health,
    reason,
    containerId: container.id,
    startedAtMs,
    healthySinceMs: health === 'healthy' ? nowMs : null,
  } as const
  return { instance: current.id, observed }
}
