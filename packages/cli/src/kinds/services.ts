import type { ServiceView } from '@bulkhead/shared'
import { servicePath } from '@bulkhead/shared/client'

import { formatAge } from '../output/quantity.ts'
import { stateCell } from '../output/states.ts'
import { columnsOf, type Kind } from './kind.ts'

export const stateOfService = ({ deleting, status }: ServiceView): string =>
  deleting ? 'deleting' : status

/** That all is well needs no reason in a list; `describe` has it. */
const shownReason = ({ status, reason }: ServiceView): string =>
  status === 'converged' ? '' : reason

const { heads, row } = columnsOf<ServiceView>([
  { title: 'NAME', least: 12, cell: ({ name }) => name },
  {
    title: 'ENVIRONMENT',
    shrinks: true,
    unless: 'environment',
    least: 7,
    cell: ({ environment }) => environment,
  },
  { title: 'ZONE', shrinks: true, least: 12, cell: ({ zone }) => zone },
  { title: 'HEALTHY', cell: ({ replicas }) => `${replicas.healthy}/${replicas.desired}` },
  {
    title: 'STATUS',
    least: 11,
    cell: (service, { style }) => stateCell(stateOfService(service), style),
  },
  {
    title: 'UPDATED',
    wide: true,
    cell: ({ replicas }) => `${replicas.updated}/${replicas.desired}`,
  },
  { title: 'REVISION', wide: true, align: 'right', cell: ({ revision }) => String(revision) },
  { title: 'IMAGE', wide: true, cell: ({ image }) => image },
  { title: 'DIGEST', wide: true, cell: ({ digest }) => digest.replace('sha256:', '').slice(0, 12) },
  {
    title: 'AGE',
    ticks: true,
    least: 6,
    cell: ({ createdAt }, { nowMs }) => formatAge(createdAt, nowMs),
  },
  { title: 'REASON', optional: true, overflow: 'cut', cell: shownReason },
])

export const services: Kind<ServiceView> = {
  name: 'services',
  singular: 'service',
  aliases: ['svc', 's'],
  heads,
  rows: (item, look) => [row(item, look)],
  key: ({ environment, name }) => `${environment}/${name}`,
  names: ({ environment, name }) => [name, `${name}.${environment}`],
  detailPath: ({ environment, name }) => servicePath(environment, name),
  order: ({ environment, name }) => [environment, name],
}
