import type { ZoneView } from '@bulkhead/shared'

import { shownEgress } from '../describe/shown-egress.ts'
import { columnsOf, type Kind } from './kind.ts'

const { heads, row } = columnsOf<ZoneView>([
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'EDGE', cell: ({ edge }) => (edge ? 'yes' : 'no') },
  { title: 'REACHES', cell: ({ reaches }) => reaches.join(',') },
  { title: 'NODES', align: 'right', cell: ({ nodes }) => String(nodes) },
  { title: 'SERVICES', align: 'right', cell: ({ services }) => String(services) },
  { title: 'EGRESS', wide: true, cell: ({ egress }) => egress.map(shownEgress).join('; ') },
])

export const zones: Kind<ZoneView> = {
  name: 'zones',
  singular: 'zone',
  aliases: ['z'],
  heads,
  rows: (item, look) => [row(item, look)],
  key: ({ name }) => name,
  names: ({ name }) => [name],
  order: ({ name }) => [name],
}
