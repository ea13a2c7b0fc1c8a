import type { NodeView } from '@bulkhead/shared'

import { type Column, columnsOf, type Kind, type Look } from '../kinds/kind.ts'
import { formatBytes, formatCpu } from '../output/quantity.ts'
import type { Cell } from '../output/table.ts'

/** Of a node (`name`) or of an instance (`id`). */
export interface Usage {
  readonly name?: string
  readonly id?: string
  readonly node?: string | null
  readonly environment?: string
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly pids: number
}

type UsageTable = Pick<Kind<Usage>, 'heads' | 'rows'>

const cpu: Column<Usage> = {
  title: 'CPU',
  align: 'right',
  cell: ({ cpuMillis }) => formatCpu(cpuMillis),
}
const memory: Column<Usage> = {
  title: 'MEMORY',
  align: 'right',
  cell: ({ memoryBytes }) => formatBytes(memoryBytes),
}
const pids: Column<Usage> = { title: 'PIDS', align: 'right', cell: (usage) => String(usage.pids) }

function percent(used: number, of: number | undefined, { style }: Look): Cell {
  if (of === undefined || of === 0) return { text: '' }
  const value = Math.round((100 * used) / of)
  const paint = value >= 90 ? style.red : value >= 70 ? style.yellow : undefined
  return { text: `${value}%`, paint }
}

function table(columns: readonly Column<Usage>[]): UsageTable {
  const { heads, row } = columnsOf(columns)
  return { heads, rows: (item, look) => [row(item, look)] }
}

export const topInstances: UsageTable = table([
  { title: 'ID', cell: ({ id }) => id ?? '' },
  {
    title: 'ENVIRONMENT',
    optional: true,
    unless: 'environment',
    cell: ({ environment }) => environment ?? '',
  },
  { title: 'NODE', cell: ({ node }) => node ?? '' },
  cpu,
  memory,
  pids,
])

/** With what share of each node that is. */
export function topNodes(nodes: readonly NodeView[]): UsageTable {
  const capacities = new Map(nodes.map(({ name, capacity }) => [name, capacity]))
  const capacityOf = ({ name }: Usage) => capacities.get(name ?? '')
  return table([
    { title: 'NAME', cell: ({ name }) => name ?? '' },
    cpu,
    {
      title: 'CPU%',
      align: 'right',
      cell: (usage, look) => percent(usage.cpuMillis, capacityOf(usage)?.cpuMillis, look),
    },
    memory,
    {
      title: 'MEM%',
      align: 'right',
      cell: (usage, look) => percent(usage.memoryBytes, capacityOf(usage)?.memoryBytes, look),
    },
    pids,
  ])
}
