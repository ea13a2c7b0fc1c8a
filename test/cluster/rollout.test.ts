import { setTimeout as delay } from 'node:timers/promises'

import type { ListView, RolloutView } from '@bulkhead/shared'
import { t as tap, test } from 'tap'

import { whyNotEngines } from '../engines/skip.ts'
import { startCluster, waitConverged, type Cluster } from './cluster.ts'
import { relayed, startRelays } from './relay.ts'
import { running, witness } from './witness.ts'

const skip = whyNotEngines() ?? false
const timeout = 400_000
tap.setTimeout(timeout)
const replicas = 6

interface Band {
  lowest: number
  highest: number
  samples: number
}

/** Counts healthy instances by asking each of them, past all records, until it is stopped. */
async function sample(cluster: Cluster, band: Band, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const instances = await cluster.instances('service=web&environment=default')
    const answers = await Promise.all(
      instances.flatMap(({ endpoints }) =>
        endpoints.map(async (endpoint) => {
          try {
            return (await fetch(relayed(endpoint, '/healthz'), { signal: AbortSignal.timeout(2000) })).ok
          } catch {
            return false
          }
        }),
      ),
    )
    const healthy = answers.filter(Boolean).length
    band.lowest = Math.min(band.lowest, healthy)
    band.highest = Math.max(band.highest, healthy)
    band.samples += 1
    await delay(50)
  }
}

async function observed(cluster: Cluster, work: () => Promise<void>): Promise<Band> {
  const band: Band = { lowest: Infinity, highest: 0, samples: 0 }
  const stop = new AbortController()
  const sampling = sample(cluster, band, stop.signal)
  try {
    await work()
  } finally {
    stop.abort()
    await sampling
  }
  return band
}

void test('rolling upgrades', { skip, timeout }, async (t) => {
  const zones = ['application']
  await using cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }] })
  await startRelays(cluster.hosts.hosts)
  const { serve, unhealthy, broken } = cluster.hosts.images
  // What is to succeed has time for it on a busy machine; what is to fail is not waited for that long.
  const spec = (image: string, more = '', progressDeadline = '60s'): string => `
apiVersion: bulkhead/v1
kind: Service
name: web
zone: application
image: ${image}
replicas: ${replicas}
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 32Mi }
restart: { delay: 100ms }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
stop: { drain: 0, grace: 2s }
update: { maxSurge: 1, maxUnavailable: 0, minHealthyTime: 500ms, progressDeadline: ${progressDeadline} }
${more}
`
  const images = async (): Promise<string[]> => {
    const instances = await cluster.instances('service=web&environment=default')
    return [...new Set(instances.map(({ image }) => image))].toSorted()
  }
  const containerIds = async (): Promise<Set<string>> =>
    new Set(running(await witness(cluster.hosts.hosts)).map(({ id }) => id))
  await cluster.run(['apply', '-f', '-', '--wait'], spec(serve[0]))

  await t.test('keeps within the band and replaces every container', async (t) => {
    const before = await containerIds()
    const band = await observed(cluster, async () => {
      await cluster.run(['apply', '-f', '-', '--wait', '--timeout', '120s'], spec(serve[1]))
    })
    t.comment(`${band.samples} samples, ${band.lowest} to ${band.highest} healthy`)
    t.ok(band.samples > 20, 'sampled often enough to mean something')
    t.ok(band.lowest >= replicas, `never below ${replicas}`)
    t.ok(band.highest <= replicas + 1, `never above ${replicas + 1}`)
    t.same(await images(), [serve[1]])
    const after = await containerIds()
    t.equal(after.size, replicas)
    t.notOk([...after].some((id) => before.has(id)), 'all container ids are new')
  })

  for (const [what, image] of [['never gets healthy', unhealthy], ['ends at once', broken]] as const) {
    await t.test(`an image that ${what} is rolled back`, async (t) => {
      const before = await containerIds()
      const band = await observed(cluster, async () => {
        const { code, stderr, stdout } = await cluster.cli(['apply', '-f', '-', '--wait', '--timeout', '90s'], spec(image, '', '15s'))
        t.equal(code, 1, `the wait tells: ${stderr.trim() || stdout.trim()}`)
        if (image === broken) t.match(stderr, /has failed 3 times in a row/, 'it is not waited for the deadline')
        await waitConverged(cluster, 60_000)
      })
      t.ok(band.lowest >= replicas, `never below ${replicas}: ${band.lowest}`)
      t.same(await images(), [serve[1]], 'the old image is back')
      const { items } = await cluster.api<ListView<RolloutView>>('/v1/rollouts?service=web&environment=default')
      t.ok(items.some(({ phase, reason }) => phase === 'rolled-back' && reason !== ''), 'with a reason')
      const after = await containerIds()
      t.ok([...before].filter((id) => after.has(id)).length >= replicas - 1, 'what was good was left alone')
    })
  }

  await t.test('undo', async (t) => {
    await cluster.run(['rollout', 'undo', 'web', '--to', '1', '--wait', '--timeout', '120s'])
    t.same(await images(), [serve[0]])
    await waitConverged(cluster, 10_000)
  })

  await t.test('pause and resume', async (t) => {
    await cluster.run(['apply', '-f', '-'], spec(serve[2]))
    await cluster.run(['rollout', 'pause', 'web'])
    await delay(4000)
    const paused = await images()
    await delay(2000)
    t.same(await images(), paused, 'nothing moves')
    t.ok(paused.includes(serve[0]), 'it is not through')
    await cluster.run(['rollout', 'resume', 'web'])
    await waitConverged(cluster, 60_000)
    t.same(await images(), [serve[2]])
  })

  await t.test('surge that separation forbids goes stop-first', async (t) => {
    const apart = 'placement: { separate: [ { from: self, by: node } ] }'
    const three = (image: string): string => spec(image, apart).replace(`replicas: ${replicas}`, 'replicas: 3')
    await cluster.run(['apply', '-f', '-', '--wait', '--timeout', '90s'], three(serve[2]))
    const band = await observed(cluster, async () => {
      await cluster.run(['apply', '-f', '-', '--wait', '--timeout', '90s'], three(serve[0]))
    })
    t.ok(band.lowest >= 2, `one at a time: ${band.lowest}`)
    const { items } = await cluster.api<ListView<RolloutView>>('/v1/rollouts?service=web&environment=default')
    const told = items.some(({ history }) => history.some(({ text }) => /stop-first/i.test(text)))
    t.ok(told, 'and the rollout says so')
  })
})
