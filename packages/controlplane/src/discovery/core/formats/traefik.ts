import { type EndpointTable, type Exposure, splitServiceKey } from '@bulkhead/shared'

import { hostAndPort, type Offer } from './offered.ts'

type Servers = { readonly loadBalancer: { readonly servers: readonly object[] } }
type Section = Record<string, Record<string, object>>

/** Traefik's dynamic configuration: services of each protocol, and routers for what is exposed. */
export type TraefikConfiguration = Partial<Record<'http' | 'tcp' | 'udp', Section>>

/** No part of a name has an underscore, so that no two read the same. */
const nameOf = (offer: Pick<Offer, 'environment' | 'service' | 'port'>): string =>
  `${offer.environment}_${offer.service}_${offer.port}`

const kindOf = ({ offered }: Offer): 'http' | 'tcp' | 'udp' =>
  offered?.protocol === 'udp' ? 'udp' : (offered?.mode ?? 'tcp')

/** Servers of equal weight go without: only newer ones know weights, and only for HTTP. */
function serversOf(offer: Offer, kind: 'http' | 'tcp' | 'udp'): Servers {
  const isEven = new Set(offer.endpoints.map(({ weight }) => weight)).size < 2
  const servers = offer.endpoints.map((endpoint) => {
    const at = hostAndPort(endpoint)
    if (kind !== 'http') return { address: at }
    return { url: `http://${at}`, ...(isEven ? {} : { weight: endpoint.weight }) }
  })
  return { loadBalancer: { servers } }
}

/**
 * Traefik refuses the whole of a configuration with an empty part in it, so that services without endpoints, and what
 * routes to them, are left out until they have some.
 */
export function traefikConfiguration(
  offers: readonly Offer[],
  tables: Iterable<EndpointTable>,
): TraefikConfiguration {
  const configuration: TraefikConfiguration = {}
  const put = (
    kind: keyof TraefikConfiguration,
    part: string,
    name: string,
    value: object,
  ): void => {
    const section = (configuration[kind] ??= {})
    ;(section[part] ??= {})[name] = value
  }
  for (const offer of offers) {
    if (offer.endpoints.length === 0) continue
    put(kindOf(offer), 'services', nameOf(offer), serversOf(offer, kindOf(offer)))
  }
  for (const { service: key, expose } of tables) {
    const { environment, name: service } = splitServiceKey(key)
    for (const [index, exposure] of expose.entries()) {
      const name = nameOf({ environment, service, port: exposure.port })
      if (configuration.http?.['services']?.[name] === undefined) continue
      put('http', 'routers', `${name}_${index}`, routerOf(exposure, name))
    }
  }
  return configuration
}

function routerOf({ host, path, tlsSecret }: Exposure, service: string): object {
  const rules = [
    ...(host === null ? [] : [`Host(\`${host}\`)`]),
    ...(path === '/' && host !== null ? [] : [`PathPrefix(\`${path}\`)`]),
  ]
  return { rule: rules.join(' && '), service, ...(tlsSecret === null ? {} : { tls: {} }) }
}
