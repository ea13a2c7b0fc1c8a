import type { EventView } from '@bulkhead/shared'

import { formatAge } from '../output/quantity.ts'
import { columnsOf, type Kind } from './kind.ts'

/** Names that say nothing by themselves. */
const nameless: readonly string[] = ['Token', 'Cluster']

const shownSubject = ({ kind, subject }: EventView): string =>
  nameless.includes(kind) ? `${kind.toLowerCase()} ${subject}` : subject

const { heads, row } = columnsOf<EventView>([
  { title: 'AGE', ticks: true, least: 6, cell: ({ at }, { nowMs }) => formatAge(at, nowMs) },
  { title: 'REVISION', wide: true, align: 'right', cell: ({ revision }) => String(revision) },
  { title: 'KIND', wide: true, cell: ({ kind }) => kind },
  {
    title: 'SUBJECT',
    least: 24,
    cell: (event, { style }) => ({ text: shownSubject(event), paint: style.bold }),
  },
  { title: 'ACTION', least: 16, cell: ({ action }) => action },
  { title: 'ACTOR', wide: true, cell: ({ actor }) => actor },
  { title: 'REASON', optional: true, overflow: 'wrap', cell: ({ reason }) => reason },
])

export const events: Kind<EventView> = {
  name: 'events',
  singular: 'event',
  aliases: ['ev'],
  heads,
  rows: (item, look) => [row(item, look)],
  appends: true,
  key: (event) => JSON.stringify(event),
  names: ({ subject }) => [subject],
  order: ({ revision }) => [revision],
}
