import type { NodeView } from '@bulkhead/shared'

import { formatAge, formatBytes, formatCpu } from '../output/quantity.ts'
import { stateCell } from '../output/states.ts'
import { columnsOf, type Kind } from './kind.ts'

export const shownLabels = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(',')

const { heads, row } = columnsOf<NodeView>([
  { title: 'NAME', least: 8, cell: ({ name }) => name },
  { title: 'STATE', least: 8, cell: ({ state }, { style }) => stateCell(state, style) },
  { title: 'ZONES', shrinks: true, cell: ({ zones }) => zones.join(',') },
  { title: 'ENVIRONMENTS', wide: true, cell: ({ environments }) => environments.join(',') },
  { title: 'INSTANCES', align: 'right', cell: ({ used }) => String(used.instances) },
  {
    title: 'CPU',
    align: 'right',
    least: 7,
    cell: ({ used, capacity }) => `${formatCpu(used.cpuMillis)}/${formatCpu(capacity.cpuMillis)}`,
  },
  {
    title: 'MEMORY',
    align: 'right',
    least: 11,
    cell: ({ used, capacity }) =>
      `${formatBytes(used.memoryBytes)}/${formatBytes(capacity.memoryBytes)}`,
  },
  { title: 'ADDRESS', wide: true, cell: ({ address }) => address },
  { title: 'PROVIDER', wide: true, cell: ({ domain }) => domain.provider ?? '' },
  { title: 'SITE', wide: true, cell: ({ domain }) => domain.site ?? '' },
  { title: 'RACK', wide: true, cell: ({ domain }) => domain.rack ?? '' },
  { title: 'HOST', wide: true, cell: ({ domain }) => domain.host },
  { title: 'ENGINE', wide: true, cell: ({ engine }) => engine?.version ?? '' },
  { title: 'AGENT', wide: true, cell: ({ agentVersion }) => agentVersion },
  { title: 'LABELS', wide: true, cell: ({ labels }) => shownLabels(labels) },
  { title: 'AGE', ticks: true, least: 6, cell: ({ joinedAt }, { nowMs }) => formatAge(joinedAt, nowMs) },
  { title: 'REASON', optional: true, overflow: 'cut', cell: ({ reason }) => reason },
])

export const nodes: Kind<NodeView> = {
  name: 'nodes',
  singular: 'node',
  aliases: ['no', 'n'],
  heads,
  rows: (item, look) => [row(item, look)],
  key: ({ name }) => name,
  names: ({ name }) => [name],
  order: ({ name }) => [name],
}
