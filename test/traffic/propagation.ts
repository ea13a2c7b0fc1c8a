import { setTimeout as delay } from 'node:timers/promises'

import type { EventView, ListView } from '@bulkhead/shared'

import { startCluster, type Cluster } from '../cluster/cluster.ts'
import { running, witness, type Witnessed } from '../cluster/witness.ts'
import { waitFor } from '../engines/command.ts'
import { publishTrafficImages } from './images.ts'
import { JsonLog } from './json-log.ts'

/** What a watcher on a node saw, in wall-clock milliseconds of this machine. */
interface Sight {
  readonly atMs: number
  readonly by: 'dns' | 'proxy'
  readonly instances: readonly string[]
}

/** From the commit of a change of health to the time at which a node went by it; milliseconds. */
export interface Delay {
  readonly by: Sight['by']
  readonly node: string
  readonly change: 'gone' | 'back'
  readonly ms: number
}

const hosts = 3
const seenWithinMs = 10_000
/** Between two changes, so that none of them waits for the one before. */
const restMs = 700

const documents = (server: string, watch: string): string => `
apiVersion: bulkhead/v1
kind: Service
name: api
environment: prod
zone: application
image: ${server}
replicas: 3
ports: { http: 8080 }
resources: { cpu: 0.3, memory: 96Mi }
placement: { separate: [ { from: self, by: node } ] }
health: { readiness: { http: { port: http, path: /healthz }, interval: 200ms, failures: 1 } }
---
apiVersion: bulkhead/v1
kind: Service
name: watch
environment: prod
zone: presentation
image: ${watch}
replicas: ${hosts}
env: { SERVICE: api.prod, PORT: "8080" }
resources: { cpu: 0.3, memory: 96Mi }
placement: { separate: [ { from: self, by: node } ] }
stop: { drain: 0, grace: 1s }
`

/** Lets one of three instances fail its probe and recover, so many times, and says when each node went by it. */
export async function measurePropagation(changes: number, say: (line: string) => void): Promise<readonly Delay[]> {
  const zones = ['presentation', 'application']
  await using cluster = await startCluster({ agents: Array.from({ length: hosts }, () => ({ zones })) })
  const images = await publishTrafficImages(cluster.hosts.registry)
  const spec = documents(images.server[0] ?? '', images.watch)
  await cluster.run(['apply', '-f', '-', '--wait', '--timeout', '120s'], spec)
  const containers = running(await witness(cluster.hosts.hosts))
  using stack = new DisposableStack()
  const logs = new Map<string, JsonLog<Sight>>()
  for (const watcher of containers.filter(({ service }) => service === 'prod/watch')) {
    const log = stack.use(new JsonLog<Sight>())
    await log.follow(hostOf(cluster, watcher), watcher.id)
    logs.set(watcher.host, log)
  }
  const servers = containers.filter(({ service }) => service === 'prod/api')
  await delay(2000)
  const delays: Delay[] = []
  for (let round = 0; round < changes; round++) {
    const server = servers[round % servers.length]
    if (!server) break
    for (const change of ['gone', 'back'] as const) {
      delays.push(...(await measure(cluster, server, change, logs)))
      await delay(restMs)
    }
    if (round % 10 === 9) say(`… ${round + 1} of ${changes}`)
  }
  return delays
}

function hostOf(cluster: Cluster, { host }: Witnessed) {
  const found = cluster.hosts.hosts.find(({ name }) => name === host)
  if (!found) throw new Error(`there is no host ${host}`)
  return found
}

async function measure(
  cluster: Cluster,
  server: Witnessed,
  change: Delay['change'],
  logs: ReadonlyMap<string, JsonLog<Sight>>,
): Promise<Delay[]> {
  const sinceMs = Date.now()
  await hostOf(cluster, server).docker.getContainer(server.id).kill({ signal: 'SIGUSR2' })
  const action = change === 'gone' ? 'unhealthy' : 'healthy'
  let committedAtMs = 0
  await waitFor(`${server.instance} to be ${action}`, seenWithinMs, async () => {
    const { items } = await cluster.api<ListView<EventView>>('/v1/events?kind=Instance')
    const event = items.findLast((one) => one.subject === server.instance && one.action === action)
    committedAtMs = event === undefined ? 0 : Date.parse(event.at)
    return committedAtMs >= sinceMs
  })
  const delays: Delay[] = []
  for (const [node, log] of logs) {
    for (const by of ['dns', 'proxy'] as const) {
      const sees = (sight: Sight): boolean =>
        sight.by === by &&
        sight.atMs >= sinceMs &&
        sight.instances.includes(server.instance) === (change === 'back')
      await waitFor(`${by} on ${node} to go by it`, seenWithinMs, async () => log.lines.some(sees))
      const atMs = log.lines.find(sees)?.atMs ?? 0
      delays.push({ by, node, change, ms: Math.max(0, atMs - committedAtMs) })
    }
  }
  return delays
}
