import { counted, formatDuration, type ServiceSpec, type TrafficShift } from '@bulkhead/shared'

import { instancesOf, stagesOf } from './stages.ts'

/** How the update will go, for people who plan it: one clause for each step. */
export function describeShift(spec: ServiceSpec, { strategy }: TrafficShift): readonly string[] {
  const { replicas, update } = spec
  const stages = stagesOf(update)
  if (strategy === 'blue-green') {
    const [first, last] = stages
    const when = first?.pauseMs === null ? 'when it is promoted' : 'when all are available'
    return [
      `${counted(replicas, 'new instance')} beside the old set, without traffic`,
      `all new traffic at once, ${when}`,
      `the old set is kept for ${formatDuration(last?.pauseMs ?? 0)}`,
    ]
  }
  return stages.map((stage) => {
    const where = `${stage.weight} % of new traffic to ${instancesOf(stage, spec)} of ${counted(replicas, 'instance')}`
    if (stage.pauseMs === null) return `${where} until it is promoted`
    return stage.pauseMs === 0 ? where : `${where} for ${formatDuration(stage.pauseMs)}`
  })
}
