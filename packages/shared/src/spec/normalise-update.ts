import { duration } from './normalise-quantity.ts'
import type { ServiceSource } from './source.ts'
import type { Analysis, CanaryStep, ServiceSpec } from './spec.ts'

type UpdateSource = ServiceSource['update']

/** A canary whose document has no steps. */
export const defaultSteps: readonly CanaryStep[] = [
  { weightPercent: 10, pauseMs: 300_000 },
  { weightPercent: 50, pauseMs: 300_000 },
  { weightPercent: 100, pauseMs: 0 },
]
export const defaultAnalysis: Analysis = { maxErrorPercent: 5, minRequests: 50 }
export const defaultKeepOldMs = 300_000

/** The last step has all traffic and nothing to wait for, unless the document says so. */
function normaliseSteps(source: UpdateSource): CanaryStep[] {
  const given = source?.steps ?? []
  if (given.length === 0) return [...defaultSteps]
  const steps = given.map(({ weight, pause }) => {
    const last = weight === 100 && pause === undefined ? 0 : null
    const pauseMs = pause === undefined || pause === 'manual' ? last : duration(pause, 0)
    return { weightPercent: weight, pauseMs }
  })
  return steps.at(-1)?.weightPercent === 100
    ? steps
    : [...steps, { weightPercent: 100, pauseMs: 0 }]
}

function normaliseAnalysis(source: UpdateSource): Analysis {
  const { maxErrorRate, minRequests = defaultAnalysis.minRequests } = source?.analysis ?? {}
  const { maxErrorPercent } = defaultAnalysis
  return {
    maxErrorPercent: maxErrorRate === undefined ? maxErrorPercent : Number.parseFloat(maxErrorRate),
    minRequests,
  }
}

/** What each strategy has of its own; a rolling update has nothing. */
const strategies: Readonly<
  Record<
    ServiceSpec['update']['strategy'],
    (source: UpdateSource) => Partial<ServiceSpec['update']>
  >
> = {
  rolling: () => ({}),
  canary: (source) => ({ steps: normaliseSteps(source), analysis: normaliseAnalysis(source) }),
  'blue-green': (source) => ({
    analysis: normaliseAnalysis(source),
    keepOldMs: duration(source?.keepOld, defaultKeepOldMs),
    promote: source?.promote ?? 'auto',
  }),
}

export function normaliseUpdate(source: ServiceSource['update']): ServiceSpec['update'] {
  const maxUnavailable = source?.maxUnavailable ?? (source?.maxSurge === 0 ? 1 : 0)
  const deadlineMs = duration(source?.progressDeadline, 600_000)
  const minHealthyTimeMs = duration(
    source?.minHealthyTime,
    Math.min(5000, Math.floor(deadlineMs / 2)),
  )
  const strategy = source?.strategy ?? 'rolling'
  return {
    strategy,
    ...strategies[strategy](source),
    maxSurge: source?.maxSurge ?? 1,
    maxUnavailable,
    minHealthyTimeMs,
    progressDeadlineMs: duration(source?.progressDeadline, Math.max(600_000, 2 * minHealthyTimeMs)),
    onFailure: source?.onFailure ?? 'rollback',
  }
}
