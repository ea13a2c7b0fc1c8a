import type { EventView, InstanceView, ListView } from '@bulkhead/shared'
import { t as tap, test } from 'tap'

import { type Cluster, startCluster, waitConverged } from '../cluster/cluster.ts'
import { waitFor } from '../engines/command.ts'
import type { Host } from '../engines/host.ts'
import { whyNotEngines } from '../engines/skip.ts'
import {
  probeFromContainer,
  probeFromHost,
  probeFromOutside,
  runInContainer,
  serveOnHost,
  type Target,
} from './probe.ts'

const skip = whyNotEngines() ?? false
const timeout = 170_000
tap.setTimeout(timeout)

const agents = [
  { zones: ['presentation'] },
  { zones: ['application', 'data'] },
  { zones: ['presentation', 'application', 'data'] },
]
const reaches: Readonly<Record<string, readonly string[]>> = {
  presentation: ['presentation', 'application'],
  application: ['application', 'data'],
  data: ['data'],
}
/** Something of the host's own that containers must not reach. */
const hostPort = 9999

const spec = (name: string, zone: string, image: string): string => `
apiVersion: bulkhead/v1
kind: Service
name: ${name}
zone: ${zone}
image: ${image}
replicas: 2
ports: { http: 8080 }
resources: { cpu: 0.2, memory: 32Mi }
placement: { separate: [ { from: self, by: node } ] }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
update: { minHealthyTime: 100ms }
`

interface Place {
  readonly name: string
  readonly instance: InstanceView
  readonly host: Host
  readonly addresses: readonly string[]
  readonly gateways: readonly string[]
  readonly discovery: string
  readonly published: string
}

async function placeOf(cluster: Cluster, instance: InstanceView): Promise<Place> {
  const host = cluster.hosts.host(Number(instance.node?.slice('host'.length)))
  const info = await host.docker.getContainer(instance.containerId ?? '').inspect()
  const [network] = Object.values(info.NetworkSettings.Networks)
  const env = info.Config.Env.find((line) => line.startsWith('BULKHEAD_DISCOVERY='))
  const [endpoint] = instance.endpoints
  const both = (four?: string, six?: string): readonly string[] =>
    [four ?? '', six ? `[${six}]` : ''].filter((address) => address !== '')
  return {
    name: `${instance.service}@${instance.node}`,
    instance,
    host,
    addresses: both(network?.IPAddress, network?.GlobalIPv6Address),
    gateways: both(network?.Gateway, network?.IPv6Gateway),
    discovery: env?.slice('BULKHEAD_DISCOVERY='.length) ?? '',
    published: `${endpoint?.address}:${endpoint?.hostPort}`,
  }
}

const family = (address: string): string => (address.startsWith('[') ? 'ipv6' : 'ipv4')

/** Everything that there is to reach, each under a name that says what it is. */
function targetsFor(places: readonly Place[], hosts: readonly Host[]): readonly Target[] {
  return [
    ...places.flatMap(({ name, addresses, gateways, published, discovery }) => [
      ...addresses.map((address) => ({
        name: `${name} itself, ${family(address)}`,
        url: `http://${address}:8080/healthz`,
      })),
      { name: `${name} published`, url: `http://${published}/healthz` },
      ...gateways.map((gateway) => ({
        name: `the host of ${name} at its gateway, ${family(gateway)}`,
        url: `http://${gateway}:${hostPort}/`,
      })),
      { name: `discovery of ${name}`, url: `${discovery}/v1/services` },
    ]),
    ...hosts.map(({ name, address }) => ({
      name: `the host ${name}`,
      url: `http://${address}:${hostPort}/`,
    })),
  ]
}

/** Containers can be addressed from other hosts of the same wire when somebody sets routes. */
async function setRoutes(places: readonly Place[]): Promise<void> {
  for (const { host } of places) {
    for (const other of places) {
      if (other.host === host) continue
      const [address = ''] = other.addresses
      await host.run(['ip', 'route', 'replace', `${address}/32`, 'via', other.host.address])
    }
  }
}

interface Matrix {
  readonly [from: string]: readonly string[]
}

async function measure(places: readonly Place[], hosts: readonly Host[]): Promise<Matrix> {
  const targets = targetsFor(places, hosts)
  const found = await Promise.all(
    places.map(async ({ name, host, instance }) => {
      const others = targets.filter((target) => !target.name.startsWith(`${name} itself`))
      return [name, await probeFromContainer(host, instance.containerId ?? '', others)] as const
    }),
  )
  return Object.fromEntries(found)
}

/** What the declaration says of it. */
function declared(places: readonly Place[], isProxied: boolean): Matrix {
  return Object.fromEntries(
    places.map(({ name, host, instance }) => {
      const allowed = places
        .filter((place) => reaches[instance.zone]?.includes(place.instance.zone))
        // Between bridges of one host the engine itself lets nothing through but by its own proxy.
        .filter((place) => isProxied || place.host !== host)
        .map((place) => `${place.name} published`)
      return [name, [...allowed, `discovery of ${name}`].toSorted()]
    }),
  )
}

async function repaired(cluster: Cluster): Promise<readonly EventView[]> {
  const { items } = await cluster.api<ListView<EventView>>('/v1/events?limit=1000')
  return items.filter(({ action }) => action === 'network-repaired')
}

/** Looks at the rules at once: an engine whose networks change may have changed them. */
async function touchNetworks(host: Host): Promise<void> {
  const network = await host.docker.createNetwork({ Name: 'bystander' })
  await network.remove()
}

async function removeLastRule(host: Host, chain: string): Promise<void> {
  const listing = await host.run(['nft', '--handle', 'list', 'chain', 'inet', 'bulkhead', chain])
  const handles = [...listing.matchAll(/drop # handle (\d+)/g)].map(([, handle]) => handle ?? '')
  const rule = [chain, 'handle', handles.at(-1) ?? '']
  await host.run(['nft', 'delete', 'rule', 'inet', 'bulkhead', ...rule])
}

async function setUp(cluster: Cluster): Promise<readonly Place[]> {
  const [image] = cluster.hosts.images.serve
  const specs = [
    spec('web', 'presentation', image),
    spec('api', 'application', image),
    spec('db', 'data', image),
  ]
  await cluster.run(['apply', '-f', '-', '--wait'], specs.join('---\n'))
  await waitConverged(cluster, 30_000)
  const instances = await cluster.instances()
  const places = await Promise.all(instances.map((instance) => placeOf(cluster, instance)))
  await Promise.all(cluster.hosts.hosts.map((host) => serveOnHost(host, hostPort)))
  await setRoutes(places)
  return places
}

for (const isProxied of [true, false]) {
  const name = `with ${isProxied ? '' : 'no '}proxies of the engine's own`
  void test(
    `zones reach what is declared, and nothing else, ${name}`,
    { skip, timeout },
    async (t) => {
      const engineArguments = [`--userland-proxy=${isProxied}`]
      await using cluster = await startCluster({ agents, engineArguments })
      const { hosts } = cluster.hosts
      const places = await setUp(cluster)
      const expected = declared(places, isProxied)
      const targets = targetsFor(places, hosts)
      const published = targets.filter(({ name: target }) => target.endsWith(' published'))

      t.same(await measure(places, hosts), expected, 'from containers')
      t.same(await probeFromOutside(published), [], 'from outside')
      const [edge] = hosts
      if (edge === undefined) throw new Error('there is a first host')
      const ofPresentation = published.filter(({ name: target }) => /^(web|api)/.test(target))
      t.same(
        await probeFromHost(edge, published),
        ofPresentation.map(({ name: target }) => target).toSorted(),
        'from a host of the presentation zone',
      )

      // What follows does not depend on how the engine publishes ports.
      if (!isProxied) return

      await t.test('an address that is not its own gets a container nowhere', async (t) => {
        const [web, other] = ['web@host3', 'db@host3'].map((one) =>
          places.find((place) => place.name === one),
        )
        const stolen = other?.addresses.find((address) => family(address) === 'ipv4') ?? ''
        if (web === undefined) throw new Error('there is a web on host 3')
        for (const address of ['10.77.0.9', stolen]) {
          const id = web.instance.containerId ?? ''
          await runInContainer(web.host, id, ['ip', 'addr', 'add', `${address}/32`, 'dev', 'eth0'])
          const others = targets.filter(
            ({ name: target, url }) =>
              !target.startsWith(`${web.name} itself`) && !url.includes(address),
          )
          t.same(await probeFromContainer(web.host, id, others, address), [], address)
          await runInContainer(web.host, id, ['ip', 'addr', 'del', `${address}/32`, 'dev', 'eth0'])
        }
      })

      await t.test('what is changed by hand is repaired and reported', async (t) => {
        const [host] = hosts
        if (host === undefined) throw new Error('there is a first host')
        // What goes out and what comes back is held by a rule each.
        for (const chain of ['from_bridge', 'to_bridge']) await removeLastRule(host, chain)
        const open = await measure(places, hosts)
        t.ok(
          (open['web@host1']?.length ?? 0) > (expected['web@host1']?.length ?? 0),
          'the rules were what held',
        )
        await touchNetworks(host)
        const events = await waitFor('the report', 10_000, async () => {
          const found = await repaired(cluster)
          return found.length > 0 && found
        })
        t.match(events[0], { subject: 'host1', reason: /chain from_bridge was changed/ })
        t.same(await measure(places, hosts), expected)
      })

      await t.test('without the table all of it is open', async (t) => {
        for (const host of hosts) await host.run(['nft', 'delete', 'table', 'inet', 'bulkhead'])
        const open = await measure(places, hosts)
        for (const place of places) {
          const count = open[place.name]?.length ?? 0
          t.ok(count > (expected[place.name]?.length ?? 0), `${place.name} reaches ${count}`)
        }
        await Promise.all(hosts.map((host) => touchNetworks(host)))
        await waitFor('the reports', 10_000, async () => (await repaired(cluster)).length >= 4)
        t.same(await measure(places, hosts), expected, 'repaired')
      })
    },
  )
}
