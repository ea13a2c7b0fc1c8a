import type { EndpointsView, EndpointTable } from '@bulkhead/shared'
import { serviceKey } from '@bulkhead/shared/basics'

/** Who asks: the instance behind the source address of a request. */
export interface Asker {
  readonly environment: string
  readonly zone: string
}

export interface Directory {
  /** By `ENVIRONMENT/NAME`. */
  readonly tables: ReadonlyMap<string, EndpointTable>
  /** Which zones each zone reaches. */
  readonly reaches: Readonly<Record<string, readonly string[]>>
}

export type Resolution =
  | { readonly kind: 'found'; readonly view: EndpointsView }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }

/**
 * Answers only for the asker's own environment and for its own zone and those that it reaches. What it may not reach
 * is refused without telling whether it exists.
 */
export function resolveFor(
  asker: Asker,
  directory: Directory,
  query: { readonly environment: string; readonly service: string; readonly port: string | null },
): Resolution {
  const { environment, service, port } = query
  if (environment !== asker.environment) {
    const reason = `an instance of environment ${asker.environment} does not see environment ${environment}`
    return { kind: 'refused', reason }
  }
  const table = visibleTable(asker, directory, environment, service)
  if (table === null) {
    const unknown = `there is no service ${service} that zone ${asker.zone} reaches`
    return { kind: 'unknown', reason: unknown }
  }
  const endpoints = table.endpoints.filter(
    (endpoint) => endpoint.weight > 0 && (port === null || endpoint.port === port),
  )
  return { kind: 'found', view: { service, environment, revision: table.revision, endpoints } }
}

/** The table of a service that the asker may know of: null, too, when there is one that it may not. */
export function visibleTable(
  asker: Asker,
  directory: Directory,
  environment: string,
  service: string,
): EndpointTable | null {
  if (environment !== asker.environment) return null
  const table = directory.tables.get(serviceKey(environment, service))
  return table && mayReach(asker.zone, table.zone, directory.reaches) ? table : null
}

function mayReach(from: string, to: string, reaches: Directory['reaches']): boolean {
  return from === to || (reaches[from] ?? []).includes(to)
}
