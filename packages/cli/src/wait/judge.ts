import type { RolloutView, ServiceView } from '@bulkhead/shared'

/** A service that is waited for. */
export interface Target {
  readonly environment: string
  readonly name: string
  /** The revision that must have come true; null: the service must be gone. */
  readonly revision: number | null
}

export interface Progress {
  readonly target: Target
  readonly verdict: 'waiting' | 'done' | 'failed'
  /** `converged`, `progressing` …, or `gone`. */
  readonly status: string
  readonly reason: string
  readonly desired: number
  /** The one that is counted: the wanted one, or one that has taken its place, as a rollback does. */
  readonly revision: number | null
  /** Healthy instances that are as that revision says. */
  readonly updated: number
}

export const keyOf = ({ environment, name }: Omit<Target, 'revision'>): string =>
  `${environment}/${name}`

const unknown = { desired: 0, updated: 0, revision: null }

function judgeGone(target: Target, service: ServiceView | undefined): Progress {
  if (service === undefined) {
    return { target, ...unknown, verdict: 'done', status: 'gone', reason: '' }
  }
  const { replicas, reason } = service
  const left = { desired: replicas.running, updated: 0, revision: null }
  return { target, ...left, verdict: 'waiting', status: 'deleting', reason }
}

/** A rollout of the wanted revision that will not end well by itself. */
function failure(
  { environment, name, revision }: Target,
  rollouts: readonly RolloutView[],
): { readonly status: string; readonly reason: string } | null {
  const rollout = rollouts.find(
    (one) => one.environment === environment && one.service === name && one.to === revision,
  )
  if (rollout === undefined || rollout.phase === 'progressing' || rollout.phase === 'completed') {
    return null
  }
  return { status: rollout.phase, reason: rollout.reason }
}

/** `converged` can be older than what is waited for, so that the counts must agree with it. */
function hasConverged({ status, deleting, replicas }: ServiceView): boolean {
  const { desired, running, healthy, updated } = replicas
  if (status !== 'converged' || deleting) return false
  return healthy >= desired && updated >= desired && running <= desired
}

/** How far one target has come, from what the API says now. */
export function judge(
  target: Target,
  service: ServiceView | undefined,
  rollouts: readonly RolloutView[],
): Progress {
  if (target.revision === null) return judgeGone(target, service)
  if (service === undefined) {
    return { target, ...unknown, verdict: 'failed', status: 'gone', reason: 'it was deleted' }
  }
  const isListed = service.revision >= target.revision
  const { desired } = service.replicas
  const updated = isListed ? service.replicas.updated : 0
  const at = { target, desired, updated, revision: isListed ? service.revision : target.revision }
  const failed = failure(target, rollouts)
  if (failed !== null) return { ...at, verdict: 'failed', ...failed }
  const { status, reason } = service
  if (!isListed) return { ...at, verdict: 'waiting', status, reason }
  if (hasConverged(service)) return { ...at, verdict: 'done', status, reason: '' }
  // What was converged before this change is not yet looked at again.
  const shown = status === 'converged' ? 'progressing' : status
  return { ...at, verdict: 'waiting', status: shown, reason: status === 'converged' ? '' : reason }
}
