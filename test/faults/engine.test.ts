import { setTimeout as delay } from 'node:timers/promises'

import { t as tap, test } from 'tap'

import { startCluster, waitConverged } from '../cluster/cluster.ts'
import { crash, running, witness } from '../cluster/witness.ts'
import { waitFor } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { EngineLog } from './engine-log.ts'

const skip = whyNotEngines() ?? false
const timeout = 300_000
tap.setTimeout(timeout)
const frozenMs = 6000

void test('containers outlive their engine where it lets them', { skip, timeout }, async (t) => {
  await using cluster = await startCluster({ agents: [{ zones: ['application'] }], engineArguments: ['--live-restore'] })
  const host = cluster.hosts.host(1)
  using log = await EngineLog.follow([host])
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
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
stop: { drain: 0, grace: 1s }
restart: { delay: 100ms }
`)
  const ids = async (): Promise<string[]> => running(await witness([host])).map(({ id }) => id).toSorted()
  let unseen = 0
  const lives = (): number => log.lives.filter(({ endedAtNs }) => endedAtNs === null).length - unseen
  const back = async (): Promise<void> => {
    await waitFor('the node to be ready', 30_000, async () => (await cluster.nodes()).every(({ state }) => state === 'ready'))
    await waitConverged(cluster, 30_000)
  }

  const ends: readonly [string, () => Promise<void>][] = [
    ['killed', () => host.killEngine('SIGKILL')],
    ['stopped', () => host.killEngine('SIGTERM')],
  ]
  for (const [name, end] of ends) {
    await t.test(`an engine that is ${name} and started again`, async (t) => {
      const before = await ids()
      const all = log.lives.length
      await end()
      await waitFor('the node to be down', 15_000, async () => (await cluster.nodes())[0]?.state === 'down')
      const [node] = await cluster.nodes()
      t.match(node?.reason, /engine does not answer/)
      await host.startEngine()
      await back()
      t.same(await ids(), before, 'the same containers run')
      t.equal(log.lives.length, all, 'by its events none was started')
      t.equal(lives(), 4, 'and none has ended')
    })
  }

  await t.test('an engine that stands still', async (t) => {
    const before = await ids()
    host.signalEngine('SIGSTOP')
    await delay(frozenMs)
    const [frozen] = await cluster.nodes()
    t.comment(`after ${frozenMs} ms: ${frozen?.state}: ${frozen?.reason}`)
    host.signalEngine('SIGCONT')
    await back()
    t.same(await ids(), before)
    t.equal(lives(), 4)
  })

  await t.test('a container that ends while its engine is away', async (t) => {
    const before = await ids()
    const [victim = ''] = before
    const { State } = await host.docker.getContainer(victim).inspect()
    await host.killEngine('SIGKILL')
    await host.run(['kill', '-9', String(State.Pid)])
    await host.startEngine()
    await waitFor('a successor', 30_000, async () => (await ids()).length === 4 && !(await ids()).includes(victim))
    await back()
    const rest = before.filter((id) => id !== victim)
    t.same((await ids()).filter((id) => before.includes(id)), rest, 'the others run on')
    // Of what ended while it was away an engine tells nothing.
    unseen += 1
  })

  await t.test('a crash is answered after all that', async (t) => {
    const [victim = ''] = await ids()
    await crash(host, victim)
    await waitFor('a successor', 15_000, async () => (await ids()).length === 4 && !(await ids()).includes(victim))
    await waitConverged(cluster, 15_000)
    await waitFor('the engines to have told of it', 15_000, async () => lives() === 4)
    t.equal(lives(), 4)
  })
  if (!t.passing()) t.comment(cluster.hosts.logs(40))
})
