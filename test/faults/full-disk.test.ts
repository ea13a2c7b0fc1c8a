import { t as tap, test } from 'tap'

import { startCluster, waitConverged } from '../cluster/cluster.ts'
import { crash, running, witness } from '../cluster/witness.ts'
import { waitFor } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'

const skip = whyNotEngines() ?? false
const timeout = 200_000
tap.setTimeout(timeout)
const diskMiB = 64
/** What has room already, such as the log that is written over, takes some writes. */
const mostWrites = 200

void test('the disk of the control plane is full, and has room again', { skip, timeout }, async (t) => {
  await using cluster = await startCluster({ agents: [{ zones: ['application'] }, { zones: ['application'] }], diskMiB })
  const { hosts } = cluster.hosts
  const [image] = cluster.hosts.images.serve
  await cluster.run(['apply', '-f', '-', '--wait'], `
apiVersion: bulkhead/v1
kind: Service
name: web
zone: application
image: ${image}
replicas: 4
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 32Mi }
stop: { drain: 0, grace: 1s }
restart: { delay: 100ms }
`)
  const url = cluster.hosts.address
  const isReady = async (): Promise<boolean> => (await fetch(`http://${url}:7070/readyz`)).ok
  const label = (count: number): string[] => ['node', 'label', 'host1', `write=${count}`]
  const ids = async (): Promise<string[]> => running(await witness(hosts)).map(({ id }) => id).toSorted()
  const before = await ids()
  t.ok(await isReady())

  cluster.disk().fill()
  let written = 0
  let refused = null
  while (refused === null && written < mostWrites) {
    const result = await cluster.cli(label(written + 1))
    if (result.code === 0) written += 1
    else refused = result
  }
  t.comment(`${written} more writes found room`)
  t.equal(refused?.code, 4)
  t.match(refused?.stderr, /^error: .*(disk|space).*; .*/m, 'what, why and what to do')
  t.comment(refused?.stderr.trim())
  const readiness = await fetch(`http://${url}:7070/readyz`)
  t.equal(readiness.status, 503)
  t.comment(await readiness.text())
  t.equal((await cluster.instances('service=web&environment=default')).length, 4, 'what is there can be read')
  t.same(await ids(), before, 'containers run on')

  const [victim] = running(await witness(hosts))
  if (!victim) throw new Error('nothing runs')
  const host = hosts.find(({ name }) => name === victim.host)
  if (!host) throw new Error('no such host')
  await crash(host, victim.id)
  await waitFor('the agent to answer a crash', 10_000, async () => (await ids()).length === 4 && !(await ids()).includes(victim.id))
  const after = await ids()
  // Longer than it takes to be declared lost.
  await waitFor('the nodes to be heard all the while', 8000, async () => {
    const nodes = await cluster.nodes()
    return nodes.every(({ state }) => state === 'ready')
  })

  cluster.disk().free()
  await waitFor('it to take writes again', 20_000, isReady)
  const node = async () => cluster.api<{ labels: Record<string, string> }>('/v1/nodes/host1')
  const { labels } = await node()
  t.equal(labels['write'], written === 0 ? undefined : `${written}`, 'what was refused has not happened')
  await cluster.run(label(written + 1))
  await waitConverged(cluster, 20_000)
  t.same(await ids(), after, 'nothing is restarted because of it')
  cluster.controlPlane().kill('SIGKILL')
  await cluster.controlPlane().exited
  await cluster.startControlPlane()
  t.equal((await node()).labels['write'], `${written + 1}`, 'what was acknowledged is there after a kill')
  await waitConverged(cluster, 30_000)
  t.same(await ids(), after)
  if (!t.passing()) t.comment(cluster.hosts.logs(30))
})
