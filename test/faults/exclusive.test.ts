import { setTimeout as delay } from 'node:timers/promises'

import { type Test, t as tap, test } from 'tap'

import { startCluster, waitConverged } from '../cluster/cluster.ts'
import { running, witness } from '../cluster/witness.ts'
import { waitFor } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { EngineLog } from './engine-log.ts'

const skip = whyNotEngines() ?? false
const timeout = 400_000
tap.setTimeout(timeout)

/** The shortest lease that is accepted, so that the test is short. */
const config = 'nodes: { lease: 6s, restartGrace: 4s }'
const leaseOverMs = 8000

void test('an exclusive service has no two live instances of a slot', { skip, timeout }, async (t) => {
  const zones = ['data']
  await using cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }], config })
  const { hosts } = cluster.hosts
  using log = await EngineLog.follow(hosts)
  const [image] = cluster.hosts.images.serve
  await cluster.run(['apply', '-f', '-', '--wait'], `
apiVersion: bulkhead/v1
kind: Service
name: db
zone: data
image: ${image}
replicas: 3
exclusive: true
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 32Mi }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
stop: { drain: 0, grace: 1s }
restart: { delay: 100ms }
update: { minHealthyTime: 100ms }
placement: { spread: [ node ] }
`)
  const runningOn = async (name: string): Promise<number> =>
    running(await witness(hosts)).filter(({ host }) => host === name).length
  const check = (t: Test): void => {
    const pairs = log.overlaps('default/db')
    t.same(pairs.map((pair) => pair.map(({ host, slot, containerId }) => `${host} ${slot} ${containerId}`)), [])
  }

  for (const round of [1, 2, 3]) {
    await t.test(`a host that is cut off, round ${round}`, async (t) => {
      const host = cluster.hosts.host(round)
      const before = await runningOn(host.name)
      await host.cut()
      const since = performance.now()
      await waitFor('its instances to run elsewhere', 30_000, async () => {
        const elsewhere = running(await witness(hosts)).filter(({ host: name }) => name !== host.name)
        return elsewhere.length === 3
      })
      t.comment(`${before} moved after ${Math.round(performance.now() - since)} ms`)
      t.equal(await runningOn(host.name), 0, 'the agent has stopped its own')
      await host.restore()
      await waitConverged(cluster, 40_000)
      check(t)
    })
  }

  await t.test('answers that no longer arrive, in one direction only', async (t) => {
    const host = cluster.hosts.host(1)
    await host.dropFrom(cluster.hosts.address)
    await delay(leaseOverMs)
    t.equal(await runningOn(host.name), 0, 'without an answer nothing exclusive goes on')
    await host.clearDrops()
    await waitFor('the node to be ready', 30_000, async () => (await cluster.nodes()).every(({ state }) => state === 'ready'))
    await waitConverged(cluster, 40_000)
    check(t)
  })

  await t.test('a control plane that is away for longer than the lease', async (t) => {
    cluster.controlPlane().kill('SIGKILL')
    await cluster.controlPlane().exited
    await delay(leaseOverMs)
    t.equal(running(await witness(hosts)).length, 0)
    await cluster.startControlPlane()
    await waitFor('all to run again', 30_000, async () => running(await witness(hosts)).length === 3)
    await waitConverged(cluster, 40_000)
    check(t)
  })

  await t.test('a control plane that is frozen for longer than the lease', async (t) => {
    cluster.controlPlane().kill('SIGSTOP')
    await delay(leaseOverMs)
    cluster.controlPlane().kill('SIGCONT')
    await waitFor('all to run again', 30_000, async () => running(await witness(hosts)).length === 3)
    await waitConverged(cluster, 40_000)
    check(t)
  })

  await t.test('an agent that is killed and comes back soon restarts nothing', async (t) => {
    const before = running(await witness(hosts)).map(({ id }) => id).toSorted()
    cluster.agent(2).kill('SIGKILL')
    await cluster.agent(2).exited
    await cluster.startAgent(2)
    await delay(leaseOverMs)
    await waitConverged(cluster, 20_000)
    t.same(running(await witness(hosts)).map(({ id }) => id).toSorted(), before)
    check(t)
  })
})
