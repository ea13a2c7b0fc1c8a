import { setTimeout as delay } from 'node:timers/promises'

import type { EventView, ListView } from '@bulkhead/shared'
import { t as tap, test } from 'tap'

import { waitFor } from '../engines/command.ts'
import { pull, startContainer } from '../engines/containers.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { startCluster, waitConverged } from './cluster.ts'
import { crash, running, witness } from './witness.ts'

const skip = whyNotEngines() ?? false
const timeout = 400_000
tap.setTimeout(timeout)
const replicas = 6

void test('outages', { skip, timeout }, async (t) => {
  const zones = ['application']
  await using cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }] })
  const { hosts } = cluster.hosts
  const third = cluster.hosts.host(3)
  const [image] = cluster.hosts.images.serve
  const spec = (name: string, count: number, more = ''): string => `
apiVersion: bulkhead/v1
kind: Service
name: ${name}
zone: application
image: ${image}
replicas: ${count}
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 32Mi }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
stop: { drain: 0, grace: 1s }
update: { minHealthyTime: 100ms }
${more}
`
  await cluster.run(['apply', '-f', '-', '--wait'], spec('web', replicas))
  // Cannot be anywhere else: it stays with its host.
  await cluster.run(['apply', '-f', '-', '--wait'], spec('pinned', 1, 'placement: { require: [node=host3] }'))
  const ids = async (): Promise<string[]> => running(await witness(hosts)).map(({ id }) => id).toSorted()
  // A container that is not ours must survive everything.
  await pull(third.docker, image)
  const stranger = await startContainer(third.docker, image, { name: 'stranger' })

  await t.test('an agent that is killed and started again adopts its containers', async (t) => {
    const before = await ids()
    cluster.agent(1).kill('SIGKILL')
    await cluster.agent(1).exited
    t.same(await ids(), before, 'its containers go on')
    await cluster.startAgent(1)
    await waitFor('the node to be ready', 15_000, async () => (await cluster.nodes()).every(({ state }) => state === 'ready'))
    await waitConverged(cluster, 15_000)
    t.same(await ids(), before, 'and are adopted: none was replaced')
  })

  await t.test('a host that is cut off', async (t) => {
    const there = (await witness([third])).filter(({ service }) => service !== 'default/pinned')
    const pinned = (await witness([third])).find(({ service, state }) => service === 'default/pinned' && state === 'running')
    const elsewhere = running(await witness(hosts)).filter(({ host }) => host !== 'host3').map(({ id }) => id)
    await third.cut()
    const since = performance.now()
    await waitFor('its instances to run elsewhere', 30_000, async () => {
      const web = await cluster.instances('service=web&environment=default')
      const healthy = web.filter(({ node, state, health }) => node !== 'host3' && state === 'running' && health === 'healthy')
      return healthy.length === replicas
    }).catch(async (cause: unknown) => {
      const [nodes, { reason }] = [await cluster.nodes(), await cluster.service('default', 'web')]
      const seen = nodes.map((one) => `${one.name} ${one.state} ${one.reason}`)
      throw new Error(`web: ${reason}; ${seen.join('; ')}`, { cause })
    })
    t.comment(`running elsewhere after ${Math.round(performance.now() - since)} ms`)
    const node = (await cluster.nodes()).find(({ name }) => name === 'host3')
    t.equal(node?.state, 'lost')
    t.match(node?.reason, /nothing heard/)
    const stuck = await cluster.service('default', 'pinned')
    t.equal(stuck.status, 'degraded', 'what fits nowhere else is not given up')
    t.match(stuck.reason, /host3/, 'and says why')
    const after = running(await witness(hosts)).map(({ id }) => id)
    t.ok(elsewhere.every((id) => after.includes(id)), 'the other hosts were not disturbed')

    await third.restore()
    await waitFor('what is superseded to be removed', 30_000, async () => {
      const present = (await witness([third])).filter(({ service }) => service === 'default/web')
      return !present.some(({ id }) => there.some((old) => old.id === id && old.state === 'running'))
    })
    await waitConverged(cluster, 30_000)
    const now = await witness([third])
    t.ok(now.some(({ id, state }) => id === pinned?.id && state === 'running'), 'what was not superseded was adopted')
    t.ok((await stranger.inspect()).State.Running, 'what is not ours was not touched')
    const slots = running(await witness(hosts)).filter(({ service }) => service === 'default/web').map(({ slot }) => slot)
    t.same(slots.toSorted(), [0, 1, 2, 3, 4, 5], 'one of each slot')
  })

  await t.test('a crash while the control plane is down is answered by the agent', async (t) => {
    // The host that came back is given its share again: that has to be over.
    let before = await ids()
    await waitFor('nothing to move any more', 60_000, async () => {
      await waitConverged(cluster, 30_000)
      await delay(4000)
      const last = before
      before = await ids()
      return String(last) === String(before)
    })
    const victim = running(await witness(hosts)).find(({ host, service }) => host === 'host2' && service === 'default/web')
    if (!victim) throw new Error('nothing runs on host2')
    cluster.controlPlane().kill('SIGKILL')
    await cluster.controlPlane().exited
    const downSince = performance.now()
    await crash(cluster.hosts.host(2), victim.id)
    const successor = await waitFor('a successor without a control plane', 10_000, async () =>
      running(await witness(hosts)).find(
        ({ slot, service, instance }) =>
          slot === victim.slot && service === victim.service && instance !== victim.instance,
      ),
    )
    await delay(Math.max(0, 30_000 - (performance.now() - downSince)))
    const alone = await ids()
    t.equal(alone.length, before.length, 'everything runs after 30 s without a control plane')
    await cluster.startControlPlane()
    await waitFor('the nodes to be ready', 20_000, async () => (await cluster.nodes()).every(({ state }) => state === 'ready'))
    await waitConverged(cluster, 20_000)
    await waitFor('it to learn of the successor', 15_000, async () => {
      const { items } = await cluster.api<ListView<EventView>>(`/v1/events?subject=${successor.instance}`)
      return items.some(({ action }) => action === 'created')
    })
    t.same(await ids(), alone, 'its return changes nothing')
  })

  await t.test('an engine that is killed and started again', async (t) => {
    const host = cluster.hosts.host(2)
    await host.killEngine('SIGKILL')
    await waitFor('the node to be down', 15_000, async () => {
      const node = (await cluster.nodes()).find(({ name }) => name === 'host2')
      return node?.state === 'down' && /engine/.test(node.reason)
    })
    await host.startEngine()
    await waitFor('the node to be ready', 30_000, async () => (await cluster.nodes()).every(({ state }) => state === 'ready'))
    await waitConverged(cluster, 60_000)
    const slots = running(await witness(hosts)).filter(({ service }) => service === 'default/web').map(({ slot }) => slot)
    t.same(slots.toSorted(), [0, 1, 2, 3, 4, 5], 'one of each slot')
  })
})
