import type { InstanceState, Observed } from '@bulkhead/shared'

import { isOver } from './backoff.ts'
import { type ContainerInfo, hasEnded, isAlive } from './container.ts'
import { exitCause } from './failure.ts'
import { isUnwanted, type Link } from './lineage.ts'
import { planEnded } from './plan-start.ts'
import { lacksLease, type LineageView, type Plan, step, waitUntil } from './view.ts'

/** How long a killed container may take to end before it is killed again. */
const killAgainMs = 5000

/** An unwanted lineage on its way out: drain, signal, kill, remove. */
export function planStop(view: LineageView, nowMs: number): Plan {
  const { container, prepared } = view
  const { current } = view.lineage
  if (prepared !== null) {
    return step({ kind: 'remove', instance: current.id, containerId: prepared.id })
  }
  if (container === null) return step(note(current, stopped(view, nowMs)))
  if (!isAlive(container)) return planRemoval(view, container, nowMs)
  if (current.observed.state === 'draining' || current.observed.state === 'stopping') {
    return planStopping(view, nowMs)
  }
  const reason = stopReason(view)
  const next = shouldDrain(view) ? 'draining' : 'stopping'
  return step(note(current, { ...current.observed, state: next, reason }))
}

/** Draining or stopping: also an instance that is wanted but that its probes have condemned. */
export function planStopping(view: LineageView, nowMs: number): Plan {
  const { container, lineage } = view
  const { current, assignment } = lineage
  const { stop } = assignment.template
  if (container === null || !isAlive(container)) {
    return isUnwanted(lineage) ? planStop(view, nowMs) : planEnded(view, container, nowMs)
  }
  const mustEnd = lacksLease(view)
  if (current.observed.state === 'draining') {
    if (!mustEnd && !view.isQuiet && !isOver(current.sinceMs, stop.drainMs, nowMs)) {
      return waitUntil(current.sinceMs + stop.drainMs)
    }
    return step(note(current, { ...current.observed, state: 'stopping', reason: stopReason(view) }))
  }
  const target = { instance: current.id, containerId: container.id }
  if (!current.signalled) return step({ kind: 'signal', ...target, signal: stop.signal })
  const { sinceMs, killedAtMs } = current
  const mustBeGone = mustEnd && view.lease === 'over'
  if (!mustBeGone && !isOver(sinceMs, stop.graceMs, nowMs)) return waitUntil(sinceMs + stop.graceMs)
  if (killedAtMs !== 0 && !isOver(killedAtMs, killAgainMs, nowMs)) {
    return waitUntil(killedAtMs + killAgainMs)
  }
  return step({ kind: 'kill', ...target })
}

function planRemoval(view: LineageView, container: ContainerInfo, nowMs: number): Plan {
  const { current } = view.lineage
  const { observed } = current
  if (hasEnded(container) && observed.exitCode === null && container.exitCode !== null) {
    const finishedAtMs = container.finishedAtMs ?? nowMs
    const ended = { ...observed, exitCode: container.exitCode, finishedAtMs }
    const state: InstanceState = 'stopping'
    return step(note(current, { ...ended, state, reason: stopReason(view) }))
  }
  return step({ kind: 'remove', instance: current.id, containerId: container.id })
}

function stopped(view: LineageView, nowMs: number): Observed {
  const { current, assignment } = view.lineage
  const { observed } = current
  const memory = assignment.template.resources.memoryBytes
  const how =
    observed.startedAtMs === null
      ? 'it was never started'
      : observed.exitCode === null
        ? 'its container is gone'
        : exitCause({ exitCode: observed.exitCode, oomKilled: false }, memory)
  return {
    ...observed,
    state: 'stopped',
    health: 'unknown',
    reason: `${how}; ${stopReason(view)}`,
    healthySinceMs: null,
    finishedAtMs: observed.finishedAtMs ?? nowMs,
  }
}

const note = (current: Link, observed: Observed) =>
  ({ kind: 'observe', instance: current.id, observed }) as const

function stopReason(view: LineageView): string {
  const { abandoned, assignment } = view.lineage
  if (abandoned) return 'the control plane no longer assigns it to this node'
  return assignment.cause === '' ? 'it is no longer wanted' : assignment.cause
}

/** Only who may be getting requests has anything to finish. */
function shouldDrain(view: LineageView): boolean {
  const { assignment, current } = view.lineage
  const { ports, stop } = assignment.template
  const wasServing = current.observed.state === 'running' && current.observed.health === 'healthy'
  return stop.drainMs > 0 && wasServing && Object.keys(ports).length > 0
}
