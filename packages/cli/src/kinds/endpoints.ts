import type { Endpoint, EndpointsView } from '@bulkhead/shared'

import { columnsOf, type Kind } from './kind.ts'

interface Line {
  readonly view: EndpointsView
  /** Null: the service has none, which is worth a line. */
  readonly endpoint: Endpoint | null
}

const { heads, row } = columnsOf<Line>([
  { title: 'SERVICE', least: 12, cell: ({ view }) => view.service },
  {
    title: 'ENVIRONMENT',
    shrinks: true,
    unless: 'environment',
    least: 7,
    cell: ({ view }) => view.environment,
  },
  { title: 'PORT', cell: ({ endpoint }) => endpoint?.port ?? '' },
  {
    title: 'ADDRESS',
    least: 21,
    cell: ({ endpoint }) => (endpoint === null ? '' : `${endpoint.address}:${endpoint.hostPort}`),
  },
  { title: 'INSTANCE', least: 20, cell: ({ endpoint }) => endpoint?.instance ?? '' },
  { title: 'NODE', cell: ({ endpoint }) => endpoint?.node ?? '' },
  { title: 'ZONE', wide: true, cell: ({ endpoint }) => endpoint?.zone ?? '' },
])

const linesOf = (view: EndpointsView): readonly Line[] =>
  view.endpoints.length === 0
    ? [{ view, endpoint: null }]
    : view.endpoints.map((endpoint) => ({ view, endpoint }))

export const endpoints: Kind<EndpointsView> = {
  name: 'endpoints',
  singular: 'endpoint',
  aliases: ['ep'],
  heads,
  rows: (item, look) => linesOf(item).map((line) => row(line, look)),
  key: ({ environment, service }) => `${environment}/${service}`,
  names: ({ service, environment }) => [service, `${service}.${environment}`],
  order: ({ environment, service }) => [environment, service],
}
