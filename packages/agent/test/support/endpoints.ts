import type { Endpoint, EndpointTable, Policy } from '@bulkhead/shared'

/** A table of which a test says only what it is about. */
export function aTable(
  service: string,
  zone: string,
  revision: number,
  endpoints: Endpoint[],
  changes: Partial<EndpointTable> = {},
): EndpointTable {
  return {
    service,
    zone,
    revision,
    addressIndex: 1,
    ports: {},
    expose: [],
    external: false,
    endpoints,
    ...changes,
  }
}

/** Rules of which a test says only which zones reach which. */
export const aPolicy = (reaches: Record<string, string[]>): Policy => ({
  revision: 1,
  services: '10.231.0.0/16',
  services6: null,
  zones: Object.fromEntries(
    Object.entries(reaches).map(([zone, reached]) => [
      zone,
      { edge: false, reaches: [...new Set([zone, ...reached])], egress: [] },
    ]),
  ),
  peers: [],
})
