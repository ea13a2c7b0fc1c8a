import { formatDuration, isOpen, splitServiceKey, type Rollout, type RolloutView, type ShiftView } from '@bulkhead/shared'

import { servesTraffic } from '../../discovery/core/endpoints.ts'
import { activeShift, analysisOf, shareOf, stagesOf } from '../../rollout/core/stages.ts'
import type { ClusterView } from '../../state/view.ts'
import type { ApiDeps } from '../deps.ts'
import { timeOf, timeOrNull } from './times.ts'

export interface RolloutViewDeps {
  readonly state: { readonly view: ClusterView }
  readonly traffic: ApiDeps['traffic']
}

export function rolloutView(deps: RolloutViewDeps, rollout: Rollout): RolloutView {
  const { name, environment } = splitServiceKey(rollout.service)
  const shift = shiftView(deps, rollout)
  return {
    id: rollout.id,
    service: name,
    environment,
    from: rollout.from,
    to: rollout.to,
    phase: rollout.phase,
    reason: rollout.reason,
    startedAt: timeOf(rollout.startedAtMs),
    deadlineAt: timeOrNull(rollout.dueAtMs),
    endedAt: timeOrNull(rollout.endedAtMs),
    ...(shift ? { shift } : {}),
    history: rollout.history.map(({ atMs, text }) => ({ at: timeOf(atMs), text })),
  }
}

/** Null for a rollout that replaces instances one after the other. */
function shiftView({ state: { view }, traffic }: RolloutViewDeps, rollout: Rollout): ShiftView | null {
  const { service: key, shift } = rollout
  const service = view.services.get(key)
  const wanted = service && view.revisionOf(key, isOpen(rollout) ? service.revision : rollout.to)
  if (!shift || !wanted || wanted.spec.update.strategy !== shift.strategy) return null
  const { replicas, update } = wanted.spec
  const hashOf = (revision: number): string | undefined => view.revisionOf(key, revision)?.templateHash
  const instances = view.instancesOf(key).filter(({ revision }) => hashOf(revision) === wanted.templateHash)
  const serving = instances.filter((one) => servesTraffic(view, one)).length
  const active = activeShift(rollout, wanted.spec)
  const ids = instances.map(({ id }) => id)
  const { maxErrorPercent, minRequests } = analysisOf(update)
  return {
    strategy: shift.strategy,
    step: shift.step + 1,
    steps: stagesOf(update).map(({ weight, pauseMs }) => ({
      weight,
      pause: pauseMs === null ? 'manual' : formatDuration(pauseMs),
    })),
    weight: active ? Math.round(shareOf(active, { serving, replicas }) * 10) / 10 : shift.weight,
    waitsFor: active ? waitsFor(rollout) : 'nothing',
    dueAt: timeOrNull(active ? shift.dueAtMs : null),
    ...(active ? traffic.sum(ids, shift.sinceMs) : { requests: 0, errors: 0 }),
    maxErrorPercent,
    minRequests,
  }
}

function waitsFor({ phase, shift }: Rollout): ShiftView['waitsFor'] {
  if (phase === 'paused') return 'resume'
  if (!shift || shift.reachedAtMs === null || shift.promoted) return 'instances'
  return shift.dueAtMs === null ? 'promote' : 'time'
}
