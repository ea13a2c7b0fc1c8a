import type { ListView, NodeView } from '@bulkhead/shared'
import { t as tap, test } from 'tap'

import { waitFor } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { startCluster, type Cluster } from './cluster.ts'

const skip = whyNotEngines() ?? false
const timeout = 240_000
tap.setTimeout(timeout)

const service = (name: string, zone: string, image: string, more: string): string => `
apiVersion: bulkhead/v1
kind: Service
name: ${name}
zone: ${zone}
image: ${image}
ports: { http: 8080 }
resources: { cpu: 0.5, memory: 128Mi }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
update: { minHealthyTime: 500ms }
stop: { drain: 2s, grace: 2s }
${more}
`

/** What a container gets at an address, asked from inside it. */
async function getFrom(cluster: Cluster, instance: string, url: string): Promise<string> {
  const script = `fetch('${url}', { signal: AbortSignal.timeout(5000) }).then((r) => r.text()).then(console.log)`
  return cluster.run(['exec', instance, '--', '/bin/node', '-e', script])
}

const haproxyPid = async (cluster: Cluster, host: number): Promise<string> =>
  (await cluster.hosts.host(host).run(['cat', `${cluster.hosts.host(host).directory}/agent/proxy/pid`])).trim()

void test('service addresses are served on every node', { skip, timeout }, async (t) => {
  await using cluster = await startCluster({
    agents: [{ zones: ['presentation'] }, { zones: ['application'] }, { zones: ['application'] }],
  })
  const { echo } = cluster.hosts.images
  const documents = [
    service('api', 'application', echo[0], 'replicas: 2\nplacement: { separate: [ { from: self, by: node } ] }'),
    service('web', 'presentation', echo[2], 'expose: [ { port: http, listen: 80 } ]'),
  ].join('---\n')
  await cluster.run(['apply', '-f', '-', '--wait', '--timeout', '90s'], documents)
  const [web = ''] = (await cluster.instances('service=web&environment=default')).map(({ id }) => id)
  const who = async (): Promise<{ node: string; version: string }> =>
    JSON.parse(await getFrom(cluster, web, 'http://api.default.bulkhead:8080/who')) as never

  await t.test('a container reaches another service across hosts by name', async (t) => {
    const nodes = new Set<string>()
    for (let count = 0; count < 8; count++) nodes.add((await who()).node)
    t.strictSame([...nodes].toSorted(), ['host2', 'host3'], 'requests are spread over instances')
  })

  await t.test('an edge zone is reached from outside, at the address of its nodes', async (t) => {
    const { address } = cluster.hosts.host(1)
    const answer = await waitFor('an answer', 10_000, async () => {
      const response = await fetch(`http://${address}/who`, { signal: AbortSignal.timeout(2000) })
      return response.ok && ((await response.json()) as { service: string })
    })
    t.match(answer.service, /web/)
  })

  await t.test('a HAProxy that is killed comes back, an agent that is killed does not matter to it', async (t) => {
    const before = await haproxyPid(cluster, 1)
    await cluster.hosts.host(1).run(['kill', '-9', before.split(' ')[0] ?? ''])
    const since = performance.now()
    await waitFor('an answer', 10_000, async () => (await who()).version === '1')
    t.comment(`answered ${Math.round(performance.now() - since)} ms after it was killed`)
    const after = await haproxyPid(cluster, 1)
    t.not(after, before)

    cluster.agent(1).kill('SIGKILL')
    await cluster.agent(1).exited
    const { address } = cluster.hosts.host(1)
    t.equal((await fetch(`http://${address}/who`)).status, 200, 'without an agent')
    await cluster.startAgent(1)
    await waitFor('the agent to be back', 20_000, async () => (await who()).version === '1')
    t.equal(await haproxyPid(cluster, 1), after, 'the same process')
  })

  await t.test('a rollout moves requests to the new instances', async (t) => {
    const documents2 = documents.replace(echo[0], echo[1])
    await cluster.run(['apply', '-f', '-', '--wait', '--timeout', '90s'], documents2)
    for (let count = 0; count < 4; count++) t.equal((await who()).version, '2')
  })

  await t.test('nodes say what proxy they have, and what it has passed on is counted', async (t) => {
    const { items } = await cluster.api<ListView<NodeView>>('/v1/nodes')
    for (const { network } of items) t.match(network, { proxy: /^\d+\.\d+/, proxyReason: '' })
    const token = (await cluster.run(['token', 'create', '--metrics'])).trim()
    await waitFor('the count of the last requests', 20_000, async () => {
      const headers = { authorization: `Bearer ${token}` }
      const text = await (await fetch(`http://${cluster.hosts.address}:7070/metrics`, { headers })).text()
      const counted = /^bulkhead_service_requests_total\{environment="default",service="api"\} (\d+)$/m.exec(text)?.[1]
      // What a process that was killed had not told yet is lost with it.
      return Number(counted) >= 4
    })
    t.notMatch(await cluster.run(['get', 'events', '-o', 'json']), /not-offered/)
  })
})
