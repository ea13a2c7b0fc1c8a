import type { InstanceState } from '@bulkhead/shared'

import type { Action } from './action.ts'
import { isOver } from './backoff.ts'
import { hasEnded } from './container.ts'
import { isFinal, isUnwanted } from './lineage.ts'
import { ownership } from './ownership.ts'
import { planRunning } from './plan-running.ts'
import { planStart } from './plan-start.ts'
import { planStop, planStopping } from './plan-stop.ts'
import { idle, type LineageView, type Plan, step, waitUntil } from './view.ts'

/**
 * What is to be done next for one lineage, from plain data. Observations (`observe`, `succeed`, `forget`) take
 * effect at once and the caller plans again; the others are carried out by the engine, one at a time. Nothing is
 * concluded, and nothing done, while the engine has not told what there is.
 */
export function plan(view: LineageView, nowMs: number): Plan {
  if (!view.engineReady) return idle
  const discards = planRemains(view, nowMs)
  const next = planCurrent(view, nowMs)
  if (discards.length === 0) return lookAgain(view, next)
  const blocked = view.remains.some((container) => !hasEnded(container))
  // Two live containers of one lineage would serve one slot: the old one goes first.
  return blocked
    ? { actions: discards, dueAtMs: null }
    : { ...next, actions: [...discards, ...next.actions] }
}

/** A wall clock that was set back must not turn a short pause into a long one. */
const longestRetryMs = 60_000

function planCurrent(view: LineageView, nowMs: number): Plan {
  const { retryAtMs } = view.lineage.current
  if (nowMs < retryAtMs && retryAtMs - nowMs <= longestRetryMs) return waitUntil(retryAtMs)
  if (isFinal(view.lineage.current)) return planFinal(view)
  if (isUnwanted(view.lineage)) return planStop(view, nowMs)
  return planWanted[view.lineage.current.observed.state](view, nowMs)
}

const nothing = (): Plan => idle

const planWanted: Readonly<Record<InstanceState, (view: LineageView, nowMs: number) => Plan>> = {
  pending: planStart,
  assigned: planStart,
  pulling: planStart,
  created: planStart,
  starting: planStart,
  running: planRunning,
  draining: planStopping,
  stopping: planStopping,
  stopped: nothing,
  failed: nothing,
  lost: nothing,
}

/** What a failed instance has written can be read until its successor has been healthy for this long. */
const keepRemainsMs = 10_000

/** Adds to a plan that what is kept of an earlier link is to be discarded later. */
function lookAgain(view: LineageView, next: Plan): Plan {
  const { healthySinceMs } = view.lineage.current.observed
  if (view.remains.length === 0 || healthySinceMs === null) return next
  return { ...next, dueAtMs: Math.min(next.dueAtMs ?? Infinity, healthySinceMs + keepRemainsMs) }
}

/** Containers of earlier links: the newest is kept a while for its logs, unless the slot is given up. */
function planRemains(view: LineageView, nowMs: number): readonly Action[] {
  const { current } = view.lineage
  const { healthySinceMs } = current.observed
  const isOutlived = healthySinceMs !== null && isOver(healthySinceMs, keepRemainsMs, nowMs)
  const keepsNone = isUnwanted(view.lineage) || isFinal(current) || isOutlived
  return view.remains
    .filter((container) => {
      const isNewest = container.labels[ownership.instance] === current.predecessor
      return keepsNone || !isNewest || !hasEnded(container)
    })
    .map((container) => ({
      kind: 'discard',
      containerId: container.id,
      reason: 'it belongs to an instance that has been replaced',
    }))
}

function planFinal(view: LineageView): Plan {
  const { current, abandoned } = view.lineage
  const left = [view.container, view.prepared].find((container) => container !== null)
  if (left) {
    return step({ kind: 'remove', instance: current.id, containerId: left.id })
  }
  if (abandoned && view.remains.length === 0) return step({ kind: 'forget', instance: current.id })
  return idle
}
