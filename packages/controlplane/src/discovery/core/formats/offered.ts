import {
  type Endpoint,
  type EndpointTable,
  type OfferedPort,
  splitServiceKey,
} from '@bulkhead/shared'

/** Which endpoints somebody wants; what is left out is not looked at. */
export interface Wanted {
  readonly environment?: string
  readonly zone?: string
  readonly service?: string
  readonly port?: string
}

/** One port of one service, with the endpoints that take new traffic. */
export interface Offer {
  readonly environment: string
  readonly service: string
  readonly zone: string
  readonly port: string
  /** Null: it is not offered any more, only still served. */
  readonly offered: OfferedPort | null
  readonly endpoints: readonly Endpoint[]
}

/** The ports of services that fit, by service and port. */
export function offersOf(tables: Iterable<EndpointTable>, wanted: Wanted): readonly Offer[] {
  const offers: Offer[] = []
  for (const table of tables) {
    const { environment, name } = splitServiceKey(table.service)
    if ((wanted.environment ?? environment) !== environment) continue
    if ((wanted.service ?? name) !== name || (wanted.zone ?? table.zone) !== table.zone) continue
    const open = table.endpoints.filter(({ weight }) => weight > 0)
    const ports = new Set([...Object.keys(table.ports), ...open.map(({ port }) => port)])
    for (const port of [...ports].toSorted()) {
      if ((wanted.port ?? port) !== port) continue
      const endpoints = open.filter((endpoint) => endpoint.port === port)
      const offered = table.ports[port] ?? null
      offers.push({ environment, service: name, zone: table.zone, port, offered, endpoints })
    }
  }
  return offers
}

/** `ADDRESS:PORT`, with brackets around an address of IPv6. */
export const hostAndPort = ({ address, hostPort }: Endpoint): string =>
  address.includes(':') ? `[${address}]:${hostPort}` : `${address}:${hostPort}`
