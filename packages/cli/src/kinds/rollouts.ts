import type { RolloutView } from '@bulkhead/shared'

import { formatAge, formatDuration } from '../output/quantity.ts'
import { stateCell } from '../output/states.ts'
import { columnsOf, type Kind } from './kind.ts'

function took({ startedAt, endedAt }: RolloutView, nowMs: number): string {
  const endMs = endedAt === null ? nowMs : Date.parse(endedAt)
  return formatDuration(endMs - Date.parse(startedAt))
}

const shownReason = ({ phase, reason }: RolloutView): string =>
  phase === 'completed' ? '' : reason

const { heads, row } = columnsOf<RolloutView>([
  { title: 'SERVICE', least: 12, cell: ({ service }) => service },
  {
    title: 'ENVIRONMENT',
    shrinks: true,
    unless: 'environment',
    least: 7,
    cell: ({ environment }) => environment,
  },
  { title: 'FROM', align: 'right', cell: ({ from }) => (from === null ? '' : String(from)) },
  { title: 'TO', align: 'right', cell: ({ to }) => String(to) },
  { title: 'PHASE', least: 11, cell: ({ phase }, { style }) => stateCell(phase, style) },
  { title: 'TOOK', ticks: true, least: 6, cell: (rollout, { nowMs }) => took(rollout, nowMs) },
  { title: 'STARTED', wide: true, cell: ({ startedAt }) => startedAt },
  { title: 'ENDED', wide: true, cell: ({ endedAt }) => endedAt ?? '' },
  {
    title: 'AGE',
    ticks: true,
    least: 6,
    cell: ({ startedAt }, { nowMs }) => formatAge(startedAt, nowMs),
  },
  { title: 'REASON', optional: true, overflow: 'wrap', cell: shownReason },
])

export const rollouts: Kind<RolloutView> = {
  name: 'rollouts',
  singular: 'rollout',
  aliases: ['ro', 'r'],
  heads,
  rows: (item, look) => [row(item, look)],
  key: ({ id }) => id,
  names: ({ service, environment, id }) => [service, `${service}.${environment}`, id],
  order: ({ environment, service, to }) => [environment, service, to],
}
