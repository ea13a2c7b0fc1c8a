import { setTimeout as delay } from 'node:timers/promises'

import type { EventView, ListView } from '@bulkhead/shared'
import { t as tap, test } from 'tap'

import { type Cluster, startCluster, waitConverged } from '../cluster/cluster.ts'
import { waitFor } from '../engines/command.ts'
import type { Host } from '../engines/host.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { external, zonesDocument } from './documents.ts'
import { hostPort, type Place, placeOf } from './places.ts'
import {
  keepTrying,
  keepTryingOutside,
  probeFromContainer,
  runInContainer,
  serveOn,
  type Target,
} from './probe.ts'

const skip = whyNotEngines() ?? false
const timeout = 240_000
tap.setTimeout(timeout)

const spec = (name: string, zone: string, image: string): string => `
apiVersion: bulkhead/v1
kind: Service
name: ${name}
zone: ${zone}
image: ${image}
replicas: 1
ports: { http: 8080 }
resources: { cpu: 0.2, memory: 32Mi }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
update: { minHealthyTime: 100ms }
`

async function told(cluster: Cluster, action: string, text: RegExp): Promise<boolean> {
  const { items } = await cluster.api<ListView<EventView>>('/v1/events?limit=1000')
  return items.some((event) => event.action === action && text.test(event.reason))
}

async function placesOf(cluster: Cluster): Promise<Readonly<Record<string, Place>>> {
  await waitConverged(cluster, 40_000)
  const instances = await cluster.instances()
  const places = await Promise.all(instances.map((instance) => placeOf(cluster, instance)))
  return Object.fromEntries(places.map((place) => [place.instance.service, place]))
}

const at = (place: Place | undefined): Place => {
  if (place === undefined) throw new Error('a service has no instance')
  return place
}

const published = (place: Place): Target => ({
  name: `${place.instance.service} published`,
  url: `http://${place.published}/healthz`,
})

const itself = ({ instance, addresses }: Place): readonly Target[] =>
  addresses.map((address) => ({
    name: `${instance.service} itself at ${address}`,
    url: `http://${address}:8080/healthz`,
  }))

const first = (cluster: Cluster): Host => cluster.hosts.host(1)

/** `ip addr` in the network of an instance's container. */
const address = (place: Place, verb: 'add' | 'del', one: string): Promise<string> =>
  runInContainer(place.host, place.instance.containerId ?? '', [
    'ip',
    'addr',
    verb,
    `${one}/32`,
    'dev',
    'eth0',
  ])

void test('zones hold while others disturb them', { skip, timeout }, async (t) => {
  const agents = [{ zones: ['presentation', 'application', 'data'] }]
  await using cluster = await startCluster({
    agents,
    engineArguments: ['--live-restore', '--userland-proxy=true'],
  })
  const [image] = cluster.hosts.images.serve
  const documents = [
    spec('web', 'presentation', image),
    spec('shop', 'presentation', image),
    spec('api', 'application', image),
    spec('db', 'data', image),
  ]
  await cluster.run(['apply', '-f', '-', '--wait'], documents.join('---\n'))
  await serveOn(first(cluster), hostPort)

  await t.test('neighbours on one bridge', async (t) => {
    const { web, shop } = await placesOf(cluster)
    const [from, to] = [at(web), at(shop)]
    const id = from.instance.containerId ?? ''
    t.same(await probeFromContainer(from.host, id, itself(to)), [], 'as it is')
    const [own = ''] = from.addresses
    const inSubnet = own.replace(/\.\d+$/, '.77')
    for (const forged of ['10.77.0.9', inSubnet]) {
      await address(from, 'add', forged)
      t.same(await probeFromContainer(from.host, id, itself(to), forged), [], `as ${forged}`)
      await address(from, 'del', forged)
    }
    // Also when the kernel is told to keep what is switched from the rules.
    const setting = '/proc/sys/net/bridge/bridge-nf-call-iptables'
    await first(cluster).run(['sh', '-c', `echo 0 > ${setting}`])
    await waitFor('the report', 5000, () =>
      told(cluster, 'network-repaired', /bridge-nf-call-iptables was 0/),
    )
    t.equal((await first(cluster).run(['cat', setting])).trim(), '1')
    const loop = await first(cluster).exec([
      'sh',
      '-c',
      `while sleep 0.02; do echo 0 > ${setting}; done`,
    ])
    await delay(200)
    t.not((await probeFromContainer(from.host, id, itself(to))).length, 0, 'which was what held')
    loop.kill('SIGKILL')
    await loop.exited
    await delay(2000)
    t.same(await probeFromContainer(from.host, id, itself(to)), [], 'and holds again')
  })

  await t.test('a proxy that hangs', async (t) => {
    const { web, api } = await placesOf(cluster)
    const from = at(web)
    const target = published(at(api))
    const trying = await keepTrying(from.host, from.instance.containerId ?? '', [target])
    const answers = (): number => trying.answers()[target.name] ?? 0
    await waitFor('answers', 10_000, () => answers() > 5)
    await first(cluster).run(['sh', '-c', 'kill -STOP $(pidof haproxy)'])
    // This is what it hangs over; what follows does not wait for it.
    await cluster.run(['apply', '-f', '-'], external(cluster.hosts.address))
    await delay(500)
    t.ok(answers() > 5)
    const beganAtMs = performance.now()
    await cluster.run(['apply', '-f', '-'], zonesDocument(''))
    let last = { count: answers(), atMs: performance.now() }
    while (performance.now() - beganAtMs < 5000) {
      const count = answers()
      if (count > last.count) last = { count, atMs: performance.now() }
      await delay(50)
    }
    await trying.end()
    const tookMs = Math.round(last.atMs - beganAtMs)
    t.ok(tookMs < 2500, `the last answer came ${tookMs} ms after the command to withdraw it`)
    await first(cluster).run(['sh', '-c', 'kill -CONT $(pidof haproxy)'])
    await cluster.run(['apply', '-f', '-'], zonesDocument('application'))
    await cluster.run(['delete', 'external-service', 'legacy'])
    const id = from.instance.containerId ?? ''
    await waitFor(
      'what is declared',
      10_000,
      async () => (await probeFromContainer(from.host, id, [target])).length > 0,
    )
  })

  await t.test('an engine that is started anew', async (t) => {
    const { web, api, db } = await placesOf(cluster)
    const from = at(web)
    const [gateway = ''] = from.gateways
    const closed = [
      published(at(db)),
      ...itself(at(db)),
      ...itself(at(api)),
      { name: 'the host', url: `http://${gateway}:${hostPort}/` },
    ]
    const open = published(at(api))
    const trying = await keepTrying(from.host, from.instance.containerId ?? '', [open, ...closed])
    const outside = keepTryingOutside(cluster.hosts, [published(at(db)), published(at(web))])
    await waitFor('some tries', 10_000, () => trying.hasBegun() && outside.hasBegun())
    await delay(1000)
    const before = trying.answers()[open.name] ?? 0
    t.ok(before > 5, 'what is declared answers')
    for (let round = 1; round <= 3; round++) {
      await first(cluster).killEngine(round === 2 ? 'SIGKILL' : 'SIGTERM')
      await delay(500)
      await first(cluster).startEngine()
      await delay(2000)
    }
    const answers = trying.answers()
    await Promise.all([trying.end(), outside.end()])
    t.comment(JSON.stringify({ answers, outside: outside.answers() }))
    for (const { name } of closed) t.equal(answers[name], 0, `${name} never`)
    t.same(Object.values(outside.answers()), [0, 0], 'nor from outside')
    t.ok((answers[open.name] ?? 0) > before, 'what is declared answers again')
  })

  await t.test('a bridge that is deleted', async (t) => {
    const { web } = await placesOf(cluster)
    const from = at(web)
    const devices = await first(cluster).run(['ip', '-o', 'link', 'show', 'type', 'bridge'])
    const nets = await first(cluster).docker.listNetworks({
      filters: { name: ['bulkhead-default-presentation'] },
    })
    const device = nets[0]?.Options?.['com.docker.network.bridge.name'] ?? ''
    t.match(devices, device)
    const beganAtMs = performance.now()
    await first(cluster).run(['ip', 'link', 'del', device])
    await waitFor('the report', 15_000, () =>
      told(
        cluster,
        'network-repaired',
        new RegExp(`bridge ${device} .* was gone; it was made again`),
      ),
    )
    const replaced = async () => {
      const all = await cluster.instances('service=web')
      const one = all.find(({ state, health }) => state === 'running' && health === 'healthy')
      return one !== undefined && one.id !== from.instance.id
    }
    await waitFor('the successor', 20_000, replaced)
    t.comment(
      `healthy again ${Math.round(performance.now() - beganAtMs)} ms after the bridge was deleted`,
    )
    const { web: again, api, db } = await placesOf(cluster)
    const targets = [published(at(api)), published(at(db)), ...itself(at(api))]
    const id = at(again).instance.containerId ?? ''
    t.same(await probeFromContainer(at(again).host, id, targets), ['api published'], 'as declared')
  })

  await t.test('a network that is removed', async (t) => {
    const { db } = await placesOf(cluster)
    const network = first(cluster).docker.getNetwork('bulkhead-default-data')
    await network.disconnect({ Container: at(db).instance.containerId ?? '', Force: true })
    await network.remove()
    await waitFor('the report', 10_000, () =>
      told(cluster, 'network-repaired', /removed the network bulkhead-default-data/),
    )
    const { api, db: again } = await placesOf(cluster)
    t.not(again?.instance.id, db?.instance.id)
    const id = at(api).instance.containerId ?? ''
    const reached = await probeFromContainer(at(api).host, id, [
      published(at(again)),
      ...itself(at(again)),
    ])
    t.same(reached, ['db published'])
  })

  await t.test('a kernel that cannot be asked any more', async (t) => {
    const enforced = async (): Promise<boolean> =>
      (await cluster.nodes()).every(({ network }) => network.enforced)
    const nft = (await first(cluster).run(['sh', '-c', 'command -v nft'])).trim()
    await first(cluster).run(['mount', '--bind', '/dev/null', nft])
    await waitFor('the node to say so', 45_000, async () => !(await enforced()))
    t.ok(await told(cluster, 'unenforced', /does not hold zones .*: it gets no instances/))
    const scaled = await cluster.cli(['scale', 'web', '--replicas', '2'])
    t.match(scaled, { code: 3, stderr: /no node fits: 1 of 1 does not hold zones in its kernel/ })
    const before = await cluster.instances('service=web')
    t.match(before, [{ state: 'running', health: 'healthy' }], 'what runs there runs on')
    await first(cluster).run(['umount', nft])
    await waitFor('the node to say so', 45_000, enforced)
    await waitFor('the event', 5000, () => told(cluster, 'enforced', /./))
    await cluster.run(['scale', 'web', '--replicas', '2'])
    await waitConverged(cluster, 20_000)
  })

  await t.test('a machine without IPv6', async (t) => {
    const host = first(cluster)
    await host.run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6'])
    cluster.agent(1).kill()
    await cluster.agent(1).exited
    await cluster.startAgent(1)
    await waitFor('the node', 20_000, async () =>
      (await cluster.nodes()).every(({ state }) => state === 'ready'),
    )
    await cluster.run(
      ['apply', '-f', '-', '--wait'],
      `${spec('plain', 'data', image)}environment: other\n`,
    )
    await waitFor('the report', 5000, () =>
      told(
        cluster,
        'network-limited',
        /bulkhead-other-data has no IPv6 \(this machine has no IPv6\)/,
      ),
    )
    t.notOk(
      await told(cluster, 'network-limited', /exclusive/),
      'it has its part for exclusive instances',
    )
  })
})
