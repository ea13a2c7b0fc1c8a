import type { RevisionView } from '@bulkhead/shared'

import { formatAge } from '../output/quantity.ts'
import { columnsOf, type Kind } from './kind.ts'

const { heads, row } = columnsOf<RevisionView>([
  {
    title: 'REVISION',
    align: 'right',
    cell: ({ revision, current }, { style }) => ({
      text: `${current ? '* ' : ''}${revision}`,
      paint: current ? style.green : undefined,
    }),
  },
  { title: 'IMAGE', cell: ({ image }) => image },
  { title: 'DIGEST', wide: true, cell: ({ digest }) => digest },
  { title: 'ACTOR', cell: ({ actor }) => actor },
  { title: 'AGE', cell: ({ createdAt }, { nowMs }) => formatAge(createdAt, nowMs) },
  { title: 'CAUSE', overflow: 'wrap', cell: ({ cause }) => cause },
])

export const revisions: Kind<RevisionView> = {
  name: 'revisions',
  singular: 'revision',
  aliases: ['rev'],
  heads,
  rows: (item, look) => [row(item, look)],
  key: ({ environment, service, revision }) => `${environment}/${service}@${revision}`,
  names: ({ revision }) => [String(revision)],
  order: ({ revision }) => [revision],
}
