import { setTimeout as delay } from 'node:timers/promises'

import { startCluster, waitConverged, type Cluster } from '../cluster/cluster.ts'
import { running, witness } from '../cluster/witness.ts'
import { publishTrafficImages, type TrafficImages } from './images.ts'
import { JsonLog } from './json-log.ts'
import type { Second } from './second.ts'

export interface StageOptions {
  /** How many servers there are. */
  readonly replicas?: number
  /** How many clients of each kind there are, where it is not as usual; see `programs/load.ts`. */
  readonly clients?: Readonly<Record<string, number>>
}

/** Three hosts with servers on two of them, and clients on the third that know nothing but a service's name. */
export interface Stage extends AsyncDisposable {
  readonly cluster: Cluster
  readonly images: TrafficImages
  readonly load: JsonLog<Second>
  readonly replicas: number
  /** The servers' document, with `update` and other keys as a test wants them. */
  readonly document: (image: string, more?: Readonly<Record<string, string>>) => string
  readonly apply: (document: string, timeoutS?: number) => Promise<void>
}

function documentOf(image: string, more: Readonly<Record<string, string>>): string {
  const fields: Record<string, string> = {
    name: 'api',
    update: '{ maxSurge: 2, maxUnavailable: 0, minHealthyTime: 500ms, progressDeadline: 60s }',
    stop: '{ drain: 5s, grace: 20s }',
    ...more,
  }
  return `
apiVersion: bulkhead/v1
kind: Service
environment: prod
zone: application
image: ${image}
ports: { http: 8080 }
resources: { cpu: 0.3, memory: 96Mi }
placement: { spread: [node] }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
${Object.entries(fields)
  .map(([key, value]) => `${key}: ${value}`)
  .join('\n')}
`
}

const clientsOf = (image: string, env: object): string => `
apiVersion: bulkhead/v1
kind: Service
name: clients
environment: prod
zone: presentation
image: ${image}
env: ${JSON.stringify(env)}
resources: { cpu: 1, memory: 256Mi }
stop: { drain: 0, grace: 2s }
`

export async function setStage({ replicas = 6, clients = {} }: StageOptions = {}): Promise<Stage> {
  const cluster = await startCluster({
    agents: [{ zones: ['presentation'] }, { zones: ['application'] }, { zones: ['application'] }],
  })
  const load = new JsonLog<Second>()
  const dispose = async (): Promise<void> => {
    load[Symbol.dispose]()
    await cluster[Symbol.asyncDispose]()
  }
  try {
    const images = await publishTrafficImages(cluster.hosts.registry)
    const apply = async (document: string, timeoutS = 120): Promise<void> => {
      await cluster.run(['apply', '-f', '-', '--wait', '--timeout', `${timeoutS}s`], document)
    }
    const document = (image: string, more: Readonly<Record<string, string>> = {}): string =>
      documentOf(image, { replicas: String(replicas), ...more })
    await apply(document(images.server[0] ?? ''))
    const counts = Object.entries(clients).map(([kind, count]) => [kind, String(count)])
    await apply(clientsOf(images.load, { TARGET: 'api.prod.bulkhead:8080', ...Object.fromEntries(counts) }))
    await followClients(cluster, load)
    return { cluster, images, load, replicas, document, apply, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    process.stderr.write(`${cluster.hosts.logs(30)}\n`)
    await dispose()
    throw error
  }
}

async function followClients(cluster: Cluster, load: JsonLog<Second>): Promise<void> {
  const [client] = running(await witness(cluster.hosts.hosts)).filter(({ service }) => service === 'prod/clients')
  const host = cluster.hosts.hosts.find(({ name }) => name === client?.host)
  if (!client || !host) throw new Error('the clients do not run')
  await load.follow(host, client.id)
  for (let tries = 0; tries < 100 && load.lines.length === 0; tries++) await delay(100)
  if (load.lines.length === 0) throw new Error('the clients say nothing')
}

/** Waits until the servers are as they should be. */
export const settled = (stage: Stage): Promise<void> => waitConverged(stage.cluster, 120_000)
