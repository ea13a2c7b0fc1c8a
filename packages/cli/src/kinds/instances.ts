import type { InstanceView } from '@bulkhead/shared'

import { formatAge } from '../output/quantity.ts'
import { stateCell } from '../output/states.ts'
import { columnsOf, type Kind } from './kind.ts'

const shownEndpoints = ({ endpoints }: InstanceView): string =>
  endpoints.map(({ port, address, hostPort }) => `${port}=${address}:${hostPort}`).join(',')

/** That all is well needs no reason in a list; `describe` has it. */
const shownReason = ({ state, health, reason }: InstanceView): string =>
  state === 'running' && health === 'healthy' ? '' : reason

const { heads, row } = columnsOf<InstanceView>([
  { title: 'ID', least: 20, cell: ({ id }) => id },
  {
    title: 'ENVIRONMENT',
    shrinks: true,
    unless: 'environment',
    least: 7,
    cell: ({ environment }) => environment,
  },
  { title: 'ZONE', wide: true, cell: ({ zone }) => zone },
  { title: 'NODE', unless: 'node', least: 8, cell: ({ node }) => node ?? '' },
  { title: 'STATE', least: 8, cell: ({ state }, { style }) => stateCell(state, style) },
  { title: 'HEALTH', least: 9, cell: ({ health }, { style }) => stateCell(health, style) },
  { title: 'REV', align: 'right', cell: ({ revision }) => String(revision) },
  { title: 'ATTEMPT', wide: true, align: 'right', cell: ({ attempt }) => String(attempt) },
  { title: 'CONTAINER', wide: true, cell: ({ containerId }) => (containerId ?? '').slice(0, 12) },
  { title: 'ENDPOINTS', wide: true, cell: shownEndpoints },
  { title: 'IMAGE', wide: true, cell: ({ image }) => image },
  {
    title: 'AGE',
    ticks: true,
    least: 6,
    cell: ({ startedAt, createdAt }, { nowMs }) => formatAge(startedAt ?? createdAt, nowMs),
  },
  { title: 'REASON', optional: true, overflow: 'cut', cell: shownReason },
])

const isOver = ({ state }: InstanceView): boolean => ['stopped', 'failed', 'lost'].includes(state)

/** What has failed is shown for as long as nothing else is in its slot. */
function isPast(instance: InstanceView, others: readonly InstanceView[]): boolean {
  if (!isOver(instance)) return false
  if (instance.state === 'stopped') return true
  const { environment, service, slot } = instance
  return others.some(
    (other) =>
      !isOver(other) &&
      other.slot === slot &&
      other.service === service &&
      other.environment === environment,
  )
}

export const instances: Kind<InstanceView> = {
  name: 'instances',
  singular: 'instance',
  aliases: ['inst', 'i'],
  heads,
  rows: (item, look) => [row(item, look)],
  key: ({ id }) => id,
  isPast,
  names: ({ id, service, environment, slot }) => [
    id,
    service,
    `${service}-${slot}`,
    `${service}.${environment}`,
  ],
  order: ({ environment, service, slot, createdAt, id }) => [
    environment,
    service,
    slot,
    createdAt,
    id,
  ],
}
