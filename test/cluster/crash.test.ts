import type { EventView, ListView } from '@bulkhead/shared'
import { t as tap, test } from 'tap'

import { waitFor } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { startCluster, waitConverged } from './cluster.ts'
import { crash, running, witness } from './witness.ts'

const skip = whyNotEngines() ?? false
const timeout = 300_000
tap.setTimeout(timeout)
const kills = 50

void test('crashes', { skip, timeout }, async (t) => {
  const zones = ['application']
  await using cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }] })
  const { hosts } = cluster.hosts
  const hostOf = (name: string) => hosts.find((host) => host.name === name) ?? cluster.hosts.host(1)
  const [image] = cluster.hosts.images.serve
  const spec = `
apiVersion: bulkhead/v1
kind: Service
name: web
zone: application
image: ${image}
replicas: 6
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 32Mi }
restart: { delay: 100ms, maxDelay: 500ms, resetAfter: 1s }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
stop: { drain: 0, grace: 1s }
`
  await cluster.run(['apply', '-f', '-', '--wait'], spec)

  await t.test('a killed process', async (t) => {
    const [victim] = running(await witness(hosts))
    if (!victim) throw new Error('nothing runs')
    const before = performance.now()
    await crash(hostOf(victim.host), victim.id)
    const successor = await waitFor('a new instance in the slot', 10_000, async () => {
      const instances = await cluster.instances('service=web&environment=default')
      return instances.find(
        ({ slot, id, state, health }) =>
          slot === victim.slot && id !== victim.instance && state === 'running' && health === 'healthy',
      )
    })
    t.comment(`healthy again after ${Math.round(performance.now() - before)} ms`)
    t.equal(successor.node, victim.host, 'on the same node')
    t.equal(successor.predecessor, victim.instance, 'it names whom it replaces')
    const { items } = await cluster.api<ListView<EventView>>(`/v1/events?subject=${victim.instance}`)
    const failed = items.find(({ action }) => action === 'failed')
    t.match(failed?.reason, /SIGKILL|137/, 'the cause is in the events')
  })

  await t.test(`${kills} kills at random`, async (t) => {
    for (let count = 0; count < kills; count++) {
      const victims = running(await witness(hosts))
      const victim = victims[Math.floor(Math.random() * victims.length)]
      if (victim) await crash(hostOf(victim.host), victim.id)
    }
    await waitFor('all six to be healthy again', 60_000, async () => {
      const { replicas, status } = await cluster.service('default', 'web')
      return replicas.healthy === 6 && replicas.running === 6 && status === 'converged'
    })
    await waitConverged(cluster, 10_000)
    const left = await waitFor('no leftovers', 20_000, async () => {
      const containers = await witness(hosts)
      const prepared = containers.filter(({ state }) => state === 'created').length
      return running(containers).length === 6 && containers.length - prepared === 6 && prepared <= 6 && containers
    })
    const slots = running(left).map(({ slot }) => slot)
    t.same(slots.toSorted(), [0, 1, 2, 3, 4, 5], 'one running container a slot, and no stopped ones')
    const live = await cluster.instances('service=web&environment=default')
    t.same(
      live.map(({ id }) => id).toSorted(),
      running(left).map(({ instance }) => instance).toSorted(),
      'the records are the containers',
    )
  })

  await t.test('deleting leaves nothing', async (t) => {
    await cluster.run(['delete', 'service', 'web'])
    await waitFor('all containers to go', 30_000, async () => (await witness(hosts)).length === 0)
    await waitFor('the service to go', 10_000, async () => (await cluster.cli(['get', 'services', 'web'])).code === 2)
    t.equal((await cluster.instances('all=true')).length, 0, 'no record is left')
  })
})
