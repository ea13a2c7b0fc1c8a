import type { NodeFacts } from '@bulkhead/shared'

/** What a run is asked to hold. */
export interface Size {
  readonly instances: number
  readonly nodes: number
}

export interface PlannedNode {
  readonly name: string
  readonly facts: NodeFacts
}

const zones = ['presentation', 'application', 'data'] as const
/** Parts of ten nodes, and of ten instances, that belong to each zone. */
const zoneOf = (index: number): (typeof zones)[number] => {
  const part = index % 10
  if (part < 2) return zones[0]
  return part < 8 ? zones[1] : zones[2]
}

const racksPerSite = 24
const hostsPerRack = 10
const nodesPerHost = 4

/**
 * Three providers of two sites each; sites have racks, racks have physical machines, and those carry four nodes.
 * With environments, the nodes are divided among them; without, they serve every one.
 */
export function planNodes(
  { nodes }: Size,
  environments: readonly string[] = [],
): readonly PlannedNode[] {
  return Array.from({ length: nodes }, (_, index) => {
    const host = Math.floor(index / nodesPerHost)
    const rack = Math.floor(host / hostsPerRack)
    const provider = rack % 3
    const environment = environments[Math.floor(index / 10) % Math.max(environments.length, 1)]
    return {
      name: `node-${String(index).padStart(5, '0')}`,
      facts: {
        address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
        zones: [zoneOf(index)],
        environments: environment === undefined ? [] : [environment],
        labels: { disk: index % 4 === 0 ? 'hdd' : 'ssd' },
        domain: {
          provider: `p${provider}`,
          site: `p${provider}-s${Math.floor(rack / racksPerSite) % 2}`,
          rack: `r${rack}`,
          host: `h${host}`,
        },
        capacity: { cpuMillis: 64_000, memoryBytes: 256 * 1024 ** 3 },
        engine: null,
        agentVersion: '0',
        network: { enforced: true, enforcedReason: '', proxy: null, proxyReason: '' },
      },
    }
  })
}

const sizes = [20, 60, 200, 600]

/**
 * Services of 20 to 600 replicas whose sum is the wanted number of instances. Every one spreads over failure
 * domains; half of them never put two instances on one node, and a quarter keep off the nodes of the service
 * before them too, as far as the zone has room for that.
 */
export function planServices(
  { instances, nodes }: Size,
  environments: readonly string[] = ['prod'],
): readonly object[] {
  const services: object[] = []
  const previous = new Map<string, { readonly name: string; readonly replicas: number }>()
  for (let left = instances, index = 0; left > 0; index++) {
    const replicas = Math.min(sizes[Math.floor(index / 10) % sizes.length] ?? 1, left)
    const zone = zoneOf(index)
    const environment = environments[Math.floor(index / 10) % environments.length] ?? ''
    const name = `service-${String(index).padStart(5, '0')}`
    const inZone = (nodes / environments.length) * (zone === 'application' ? 0.6 : 0.2)
    const before = previous.get(`${environment} ${zone}`)
    const separate: object[] = []
    const apart = Math.floor(index / 2) % 4
    if (apart < 2 && replicas <= inZone * 0.6) separate.push({ from: 'self', by: 'node' })
    if (apart === 2 && before && replicas <= inZone * 0.3 && before.replicas <= inZone * 0.3) {
      separate.push({ from: before.name, by: 'node' })
    }
    services.push({
      apiVersion: 'bulkhead/v1',
      kind: 'Service',
      name,
      environment,
      zone,
      image: 'registry.internal:5000/shop/web:1.4.2',
      replicas,
      ports: { http: 8080 },
      resources: { cpu: 0.1, memory: '256Mi' },
      placement: { spread: apart % 2 === 0 ? ['provider', 'rack'] : ['rack'], separate },
      health: { readiness: { http: { port: 'http', path: '/healthz' } } },
      update: { maxSurge: 1, minHealthyTime: '0s', progressDeadline: '1h' },
    })
    previous.set(`${environment} ${zone}`, { name, replicas })
    left -= replicas
  }
  return services
}
