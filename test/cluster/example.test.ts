import { readFileSync } from 'node:fs'

import { t as tap, test } from 'tap'

import { createDemoImages } from '../../scripts/start/demo-images.ts'
import { waitFor } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { startCluster, waitConverged, type Cluster } from './cluster.ts'
import { relayed, startRelays } from './relay.ts'
import { running, witness } from './witness.ts'

const skip = whyNotEngines() ?? false
const timeout = 240_000
tap.setTimeout(2 * timeout)
const specText = readFileSync(new URL('../../specs/shop/shop.yaml', import.meta.url), 'utf8')

/** The example as it is, from a registry instead of the engine's own images. */
async function publishShop({ hosts }: Cluster): Promise<string> {
  for (const [name, image] of Object.entries(await createDemoImages())) await hosts.registry.push(image, name)
  return specText.replaceAll('image: bulkhead-demo', `image: ${hosts.registry.address}/bulkhead-demo`)
}

void test('the example stack on three hosts, a zone each', { skip, timeout }, async (t) => {
  await using cluster = await startCluster({
    agents: [{ zones: ['presentation'] }, { zones: ['application'] }, { zones: ['data'] }],
  })
  const spec = await publishShop(cluster)
  const applied = await cluster.run(['apply', '-f', '-', '--wait', '--timeout', '90s'], spec)
  t.match(applied, /web/)

  const containers = running(await witness(cluster.hosts.hosts))
  const zoneHosts = { 'demo/web': 'host1', 'demo/api': 'host2', 'demo/store': 'host3' }
  for (const { service, host } of containers) {
    t.equal(host, zoneHosts[service as keyof typeof zoneHosts], `${service} runs in its zone`)
  }
  t.equal(containers.length, 5, 'two web, two api, one store')

  const [web] = await cluster.instances('service=web&environment=demo')
  const endpoint = web?.endpoints[0]
  t.ok(endpoint, 'web is published')
  if (endpoint === undefined) return
  await startRelays(cluster.hosts.hosts)
  const shop = await waitFor('an answer in which all three tiers took part', 15_000, async () => {
    const response = await fetch(relayed(endpoint, '/shop'), { signal: AbortSignal.timeout(5000) })
    return response.ok && ((await response.json()) as Record<'web' | 'api' | 'store', { instance: string }>)
  })
  for (const tier of ['web', 'api', 'store'] as const) t.match(shop[tier].instance, new RegExp(`^${tier}-`))

  const again = await cluster.run(['apply', '-f', '-', '-o', 'json'], spec)
  const { objects } = JSON.parse(again) as { objects: { action: string }[] }
  t.ok(objects.every(({ action }) => action === 'unchanged'), 'applying the same file again changes nothing')
  t.equal((await cluster.cli(['diff', '-f', '-'], spec)).code, 0, 'diff finds no difference')

  const refused = await cluster.cli(['apply', '-f', '-'], spec.replace('zone: presentation', 'zone: nowhere'))
  t.equal(refused.code, 2)
  t.match(refused.stderr, /nowhere/)
  await waitConverged(cluster, 5000)
})

const service = (image: string, name: string, replicas: number, placement: string): string => `
apiVersion: bulkhead/v1
kind: Service
name: ${name}
zone: application
image: ${image}
replicas: ${replicas}
placement: { ${placement} }
stop: { drain: 0, grace: 1s }
update: { minHealthyTime: 100ms }
resources: { cpu: 0.05, memory: 16Mi }
---`

void test('separation down to the physical host', { skip, timeout }, async (t) => {
  await using cluster = await startCluster({
    agents: [
      { zones: ['application'], physicalHost: 'machine-a' },
      { zones: ['application'], physicalHost: 'machine-a' },
      { zones: ['application'], physicalHost: 'machine-b' },
    ],
  })
  const { idle } = cluster.hosts.images
  // The rule stands in only one of the two, and the other one is there first.
  await cluster.run(['apply', '-f', '-', '--wait'], service(idle, 'billing', 1, ''))
  await cluster.run(
    ['apply', '-f', '-', '--wait'],
    service(idle, 'audit', 1, 'separate: [ { from: billing, by: host } ]') +
      service(idle, 'pair', 2, 'separate: [ { from: self, by: host } ]'),
  )
  const machines: Record<string, string> = { host1: 'a', host2: 'a', host3: 'b' }
  const check = async (): Promise<void> => {
    const containers = running(await witness(cluster.hosts.hosts))
    const of = (name: string): string[] =>
      containers.filter((container) => container.service === `default/${name}`).map(({ host }) => machines[host] ?? '')
    for (const machine of of('billing')) t.notOk(of('audit').includes(machine), 'billing and audit do not meet')
    t.equal(new Set(of('pair')).size, of('pair').length, 'no two of pair on one physical host')
  }
  await check()
  await cluster.run(['restart', 'billing', '--wait'])
  await check()

  const third = await cluster.cli(['scale', 'pair', '--replicas', '3'])
  t.equal(third.code, 3, 'two nodes on one physical host count as one')
  t.match(third.stderr, /machine-a|host/)
  t.equal((await cluster.service('default', 'pair')).replicas.desired, 2, 'nothing was changed')
  const planned = await cluster.cli(['plan', '-f', '-'], service(idle, 'pair', 3, 'separate: [ { from: self, by: host } ]'))
  t.equal(planned.code, 3, 'plan refuses it too')
})
