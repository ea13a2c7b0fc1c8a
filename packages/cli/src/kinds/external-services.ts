import type { ExternalServiceView } from '@bulkhead/shared'

import { columnsOf, type Kind } from './kind.ts'

/** `postgres 5432/tcp`. */
export const shownPorts = ({ ports }: ExternalServiceView): string =>
  Object.entries(ports)
    .map(([name, { port, protocol }]) => `${name} ${port}/${protocol}`)
    .join(', ')

const { heads, row } = columnsOf<ExternalServiceView>([
  { title: 'NAME', cell: ({ name }) => name },
  {
    title: 'ENVIRONMENT',
    shrinks: true,
    unless: 'environment',
    cell: ({ environment }) => environment,
  },
  { title: 'ZONE', shrinks: true, cell: ({ zone }) => zone },
  { title: 'ADDRESSES', cell: ({ addresses }) => addresses.join(',') },
  { title: 'PORTS', cell: shownPorts },
])

export const externalServices: Kind<ExternalServiceView> = {
  name: 'external-services',
  singular: 'external-service',
  aliases: ['ext'],
  heads,
  rows: (item, look) => [row(item, look)],
  key: ({ environment, name }) => `${environment}/${name}`,
  names: ({ environment, name }) => [name, `${name}.${environment}`],
  order: ({ environment, name }) => [environment, name],
}
