import {
  defaultAnalysis,
  defaultKeepOldMs,
  defaultSteps,
  type Analysis,
  type Rollout,
  type ServiceSpec,
  type TrafficShift,
  type Update,
} from '@bulkhead/shared'

/** A share of new traffic for the new revision, and how long it lasts; null: until somebody promotes it. */
export interface Stage {
  readonly weight: number
  readonly pauseMs: number | null
}

/** A rollout that moves traffic by steps, where it stands. */
export interface ActiveShift {
  readonly rollout: Rollout
  readonly shift: TrafficShift
  readonly stages: readonly Stage[]
  readonly stage: Stage
  readonly isLast: boolean
}

/** As what an update of the service can be carried out: old and new side by side takes a second instance somewhere. */
export function strategyOf({ update, exclusive, replicas }: ServiceSpec): Update['strategy'] {
  if (exclusive) return 'rolling'
  const isAlone = update.strategy === 'canary' && update.maxSurge === 0 && replicas < 2
  return isAlone ? 'rolling' : update.strategy
}

export const analysisOf = ({ analysis = defaultAnalysis }: Update): Analysis => analysis

export function stagesOf(update: Update): readonly Stage[] {
  if (update.strategy === 'canary') {
    const { steps = defaultSteps } = update
    return steps.map(({ weightPercent, pauseMs }) => ({ weight: weightPercent, pauseMs }))
  }
  const { keepOldMs = defaultKeepOldMs, promote = 'auto' } = update
  return [
    { weight: 0, pauseMs: promote === 'manual' ? null : 0 },
    { weight: 100, pauseMs: keepOldMs },
  ]
}

/** Null when the rollout moves no traffic by steps, or no longer. */
export function activeShift(rollout: Rollout | undefined, spec: ServiceSpec): ActiveShift | null {
  const shift = rollout?.shift
  if (!rollout || !shift || shift.done || rollout.endedAtMs !== null) return null
  if (strategyOf(spec) !== shift.strategy) return null
  const stages = stagesOf(spec.update)
  // Steps may have been taken away by a later change of the update policy.
  const step = Math.min(shift.step, stages.length - 1)
  const stage = stages[step]
  if (stage === undefined) return null
  const isLast = step === stages.length - 1
  return { rollout, shift: { ...shift, step }, stages, stage, isLast }
}

/** How many instances of the new revision the stage needs: at least one, and an old one as long as it has traffic. */
export function instancesOf({ weight }: Stage, { update, replicas }: ServiceSpec): number {
  if (update.strategy !== 'canary' || weight === 100) return replicas
  const most = update.maxSurge === 0 ? replicas - 1 : replicas
  return Math.min(Math.max(Math.ceil((replicas * weight) / 100), 1), Math.max(most, 0))
}

/** Thirds of a hundred are no whole numbers. */
const rounding = 1e-9

/** How many instances of the old revision are needed for what the new one does not get. */
export const oldInstancesOf = (share: number, replicas: number): number =>
  Math.ceil((replicas * (100 - share)) / 100 - rounding)

/**
 * Per cent of new traffic for the new revision, with so many of its instances serving. On its way to the next step a
 * canary's share grows with its instances, so that those of the old revision that have made room are not missed; the
 * switch of blue-green is made at once.
 */
export function shareOf(
  { shift, stage }: ActiveShift,
  { serving, replicas }: { readonly serving: number; readonly replicas: number },
): number {
  if (shift.strategy === 'blue-green' || shift.reachedAtMs !== null) return shift.weight
  const grown = replicas === 0 ? 0 : (100 * serving) / replicas
  return Math.min(stage.weight, Math.max(shift.weight, grown))
}
