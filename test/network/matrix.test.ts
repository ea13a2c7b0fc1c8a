import { setTimeout as delay } from 'node:timers/promises'

import type { EventView, ListView } from '@bulkhead/shared'
import { type Test, t as tap, test } from 'tap'

import { type Cluster, startCluster, waitConverged } from '../cluster/cluster.ts'
import { waitFor } from '../engines/command.ts'
import type { Host } from '../engines/host.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { external, zonesDocument } from './documents.ts'
import {
  family,
  hostPort,
  type Matrix,
  type Machine,
  measure,
  type Place,
  placeOf,
  setRoutes,
  targetsFor,
} from './places.ts'
import {
  keepAsking,
  probeFromContainer,
  probeFromHost,
  probeFromOutside,
  runInContainer,
  serveOn,
} from './probe.ts'

const skip = whyNotEngines() ?? false
const timeout = 170_000
tap.setTimeout(2 * timeout)

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

/** What the declaration says of it. */
function declared(places: readonly Place[], isProxied: boolean, hasProxy: boolean): Matrix {
  return Object.fromEntries(
    places.map(({ name, host, instance }) => {
      const allowed = places
        .filter((place) => reaches[instance.zone]?.includes(place.instance.zone))
        // Between bridges of one host the engine itself lets nothing through but by its own proxy.
        .filter((place) => isProxied || place.host !== host)
        .map((place) => `${place.name} published`)
      const addressed = places
        .filter((place) => hasProxy && reaches[instance.zone]?.includes(place.instance.zone))
        .flatMap(({ instance: { service } }) =>
          ['ipv4', 'ipv6'].map((one) => `${service} at its address, ${one}`),
        )
      const all = [...allowed, ...addressed, `discovery of ${name}`]
      return [name, [...new Set(all)].toSorted()]
    }),
  )
}

async function repaired(cluster: Cluster): Promise<readonly EventView[]> {
  const { items } = await cluster.api<ListView<EventView>>('/v1/events?limit=1000')
  return items.filter(({ action }) => action === 'network-repaired')
}

/** The node has no table of rules for more than a moment at a time, until the process is killed. */
const keepRemoving = (host: Host) =>
  host.exec(['sh', '-c', 'while sleep 0.02; do nft delete table inet bulkhead 2>/dev/null; done'])

/** The hosts, and a machine that is none of the cluster's nodes. */
const machinesOf = ({ hosts }: Cluster): readonly Machine[] => [
  ...hosts.hosts,
  { name: 'outside', address: hosts.address },
]

/** A document has reached the kernels when what it changes can be seen. */
async function becomes(
  t: Test,
  cluster: Cluster,
  places: readonly Place[],
  expected: Matrix,
  what: string,
): Promise<void> {
  const machines = machinesOf(cluster)
  let found: Matrix = {}
  await waitFor(what, 20_000, async () => {
    found = withoutProxies(await measure(places, machines))
    return JSON.stringify(found) === JSON.stringify(withoutProxies(expected))
  }).catch(() => {})
  t.same(found, withoutProxies(expected), what)
}

/** What a new declaration takes in the proxy is another matter. */
const withoutProxies = (matrix: Matrix): Matrix =>
  changed(matrix, /./, (all) => all.filter((name) => !name.includes(' at its address')))

/** The matrix with more, or less, for the containers of a zone. */
const changed = (
  matrix: Matrix,
  zone: RegExp,
  change: (reached: readonly string[]) => readonly string[],
): Matrix =>
  Object.fromEntries(
    Object.entries(matrix).map(([name, reached]) => [
      name,
      zone.test(name) ? [...new Set(change(reached))].toSorted() : reached,
    ]),
  )

/** Both at once, because what is removed alone is there again before the next one goes. */
async function removeLastRules(host: Host, chains: readonly string[]): Promise<void> {
  const commands = chains.map(async (chain) => {
    const listing = await host.run(['nft', '--handle', 'list', 'chain', 'inet', 'bulkhead', chain])
    const handles = [...listing.matchAll(/drop # handle (\d+)/g)].map(([, handle]) => handle ?? '')
    return `delete rule inet bulkhead ${chain} handle ${handles.at(-1)}`
  })
  await host.run(['nft', (await Promise.all(commands)).join('; ')])
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
  const machines = [...cluster.hosts.hosts, cluster.hosts]
  await Promise.all(machines.map((machine) => serveOn(machine, hostPort)))
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
      const machines = machinesOf(cluster)
      const places = await setUp(cluster)
      const hasProxy = (await cluster.nodes()).every(({ network }) => network.proxy !== null)
      t.comment(`proxies on the nodes: ${hasProxy ? 'there are' : 'none'}`)
      const expected = declared(places, isProxied, hasProxy)
      const targets = targetsFor(places, machines)
      const published = targets.filter(({ name: target }) => target.endsWith(' published'))

      t.same(await measure(places, machines), expected, 'from containers')
      const look = async () => withoutProxies(await measure(places, machines))
      const basis = withoutProxies(expected)
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

      await t.test('what is declared later passes, and what is withdrawn is cut', async (t) => {
        const [first, second] = hosts
        const outside = { name: 'outside', address: cluster.hosts.address }
        const [web, api] = ['web@host1', 'api@host2'].map((one) =>
          places.find((place) => place.name === one),
        )
        if (!first || !second || !web || !api)
          throw new Error('there are two hosts with web and api')
        const nameOf = (one: Machine): string => `the host ${one.name}`
        const past = await cluster.cli(['apply', '-f', '-'], external(first.address))
        t.match(past, { code: 2, stderr: /is the address of node host1/ }, 'not past the zones')
        const egress = `, egress: [ { to: ${second.address}, ports: [${hostPort}] } ]`
        const documents = [zonesDocument('application', egress), external(outside.address)]
        await cluster.run(['apply', '-f', '-'], documents.join('---\n'))
        const withExternal = changed(basis, /^(web|api)/, (all) => [...all, nameOf(outside)])
        const open = changed(withExternal, /^api/, (all) => [...all, nameOf(second)])
        await becomes(t, cluster, places, open, 'an external service and egress')

        const url = `http://${api.published}/healthz`
        const asking = await keepAsking(web.host, web.instance.containerId ?? '', url)
        await waitFor('answers over one connection', 10_000, () => asking.output().length > 10)
        await cluster.run(['apply', '-f', '-'], zonesDocument(''))
        const closed = changed(basis, /^web/, (all) =>
          all.filter((name) => !name.startsWith('api')),
        )
        const cut = changed(closed, /^api/, (all) => [...all, nameOf(outside)])
        await becomes(t, cluster, places, cut, 'a permission that is withdrawn')
        const { length } = asking.output()
        await delay(1000)
        t.equal(asking.output().length, length, 'the connection that there was is cut')
        asking.kill('SIGKILL')

        await cluster.run(['delete', 'external-service', 'legacy'])
        await cluster.run(['apply', '-f', '-'], zonesDocument('application'))
        await becomes(t, cluster, places, basis, 'as it was')
      })

      await t.test('what is changed by hand is repaired and reported', async (t) => {
        const [host] = hosts
        if (host === undefined) throw new Error('there is a first host')
        await removeLastRules(host, ['from_bridge', 'to_bridge'])
        const events = await waitFor('the report', 4000, async () => {
          const found = await repaired(cluster)
          return found.length > 0 && found
        })
        t.match(events[0], { subject: 'host1', reason: /chain from_bridge was changed/ })
        t.same(await look(), basis)
      })

      await t.test('without the table all of it is open', async (t) => {
        const removing = await Promise.all(hosts.map((host) => keepRemoving(host)))
        const open = await look()
        for (const process of removing) process.kill('SIGKILL')
        await Promise.all(removing.map(({ exited }) => exited))
        for (const place of places) {
          const count = open[place.name]?.length ?? 0
          t.ok(count > (basis[place.name]?.length ?? 0), `${place.name} reaches ${count}`)
        }
        await becomes(t, cluster, places, basis, 'repaired')
        t.ok((await repaired(cluster)).length >= 4, 'and reported by each')
      })
    },
  )
}
