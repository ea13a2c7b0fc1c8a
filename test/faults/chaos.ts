import { setTimeout as delay } from 'node:timers/promises'

import { type Cluster, startCluster, waitConverged } from '../cluster/cluster.ts'
import { running, witness } from '../cluster/witness.ts'
import { waitFor } from '../engines/command.ts'
import type { Random } from '../simulation/random.ts'
import { type Clocks, makeClocks, whyNotClocks } from './clocks.ts'
import type { EngineLog } from './engine-log.ts'
import { faults } from './fault-kinds.ts'

/** What a campaign has done, and what it has seen go wrong. */
export interface Campaign {
  /** How often each fault was done. */
  readonly faults: ReadonlyMap<string, number>
  readonly violations: readonly string[]
  /** The longest time from the end of a fault to convergence. */
  readonly slowestMs: number
}

export interface CampaignOptions {
  readonly faults: number
  /** No fault lasts longer. */
  readonly longestMs: number
  /** Decides which faults, where and for how long. */
  readonly random: Random
  readonly onFault?: (text: string) => void
}

const replicas = 4
const convergeMs = 60_000
const readyMs = 40_000
const quietMs = 4000

/** Services whose rules the engines' events can prove kept. */
export const chaosSpecs = (image: string): string =>
  [
    `name: web\nreplicas: ${replicas}\nplacement: { spread: [ node ] }`,
    'name: front\nreplicas: 1\nplacement: { separate: [ { from: back, by: node } ] }',
    'name: back\nreplicas: 1',
    'name: leader\nreplicas: 2\nexclusive: true',
  ]
    .map(
      (text) => `apiVersion: bulkhead/v1
kind: Service
zone: application
image: ${image}
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 32Mi }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
stop: { drain: 0, grace: 1s }
restart: { delay: 100ms, resetAfter: 5s }
update: { minHealthyTime: 100ms }
${text}
`,
    )
    .join('---\n')

const wanted = new Map([
  ['default/web', replicas],
  ['default/front', 1],
  ['default/back', 1],
  ['default/leader', 2],
])

/** The kinds that can be done here. */
export const faultNames = (hasClocks: boolean): string[] =>
  Object.keys(faults).filter((name) => hasClocks || faults[name]?.needsClocks !== true)

/** What the engines' events say against the rules so far. */
function judge(log: EngineLog): string[] {
  const show = ({ service, slot, host, containerId }: EngineLog['lives'][number]): string =>
    `${service} slot ${slot} on ${host} (${containerId.slice(0, 12)})`
  const twice = log.overlaps('default/leader').map((pair) => `two live instances of an exclusive slot: ${pair.map(show).join(', ')}`)
  const met = log.neighbours('default/front', 'default/back').map((pair) => `separated services met: ${pair.map(show).join(', ')}`)
  return [...twice, ...met]
}

/** Waits for what a fault must lead back to: everything runs, once, and nothing else is left. */
async function recover(cluster: Cluster): Promise<void> {
  await waitFor('all nodes to be ready', readyMs, async () => (await cluster.nodes()).every(({ state }) => state === 'ready'))
  let counts: Record<string, number> = {}
  try {
    await waitFor('everything to run once', convergeMs, async () => {
      const alive = running(await witness(cluster.hosts.hosts))
      counts = Object.fromEntries([...wanted.keys()].map((service) => [service, alive.filter((one) => one.service === service).length]))
      return [...wanted].every(([service, count]) => counts[service] === count)
    })
  } catch (error) {
    throw new Error(`does not recover: ${JSON.stringify(counts)}`, { cause: error })
  }
  await waitConverged(cluster, convergeMs)
}

const diskMiB = 64

/** Three hosts, a control plane on a small disk of its own, and clocks that can be set where that is possible. */
export async function startChaos(): Promise<{ cluster: Cluster; clocks: Clocks | null }> {
  const zones = ['application']
  let clocks: Clocks | null = null
  const environment = (directory: string, name: string): Readonly<Record<string, string>> => {
    if (whyNotClocks() !== undefined) return {}
    clocks ??= makeClocks(directory)
    return clocks.environment(name)
  }
  const cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }], diskMiB, environment })
  return { cluster, clocks }
}

/** Faults one after the other, each followed by recovery; at the end nothing may move any more. */
export async function faultCampaign(
  { cluster, clocks }: { readonly cluster: Cluster; readonly clocks: Clocks | null },
  log: EngineLog,
  options: CampaignOptions,
): Promise<Campaign> {
  const { random, onFault } = options
  const done = new Map<string, number>()
  const violations: string[] = []
  let slowestMs = 0
  const names = faultNames(clocks !== null)
  let order: string[] = []
  await recover(cluster)
  for (let count = 0; count < options.faults && violations.length === 0; count++) {
    // Every kind comes once before any comes again.
    if (order.length === 0) order = shuffled(names, random)
    const name = order.pop() ?? ''
    const number = random.integer(1, cluster.hosts.hosts.length)
    const durationMs = random.integer(1000, options.longestMs)
    onFault?.(`${name} (host${number}, ${durationMs} ms)`)
    await faults[name]?.play({ cluster, clocks, log, random, number, durationMs })
    const since = performance.now()
    await recover(cluster).catch((error: unknown) => violations.push(`after ${name} on host${number}: ${String(error)}`))
    slowestMs = Math.max(slowestMs, performance.now() - since)
    violations.push(...judge(log).map((text) => `after ${name} on host${number}: ${text}`))
    done.set(name, (done.get(name) ?? 0) + 1)
  }
  if (violations.length === 0) violations.push(...(await watchQuiet(log)))
  return { faults: done, violations, slowestMs }
}

async function watchQuiet(log: EngineLog): Promise<string[]> {
  // What was surplus or superseded has a moment to go.
  await delay(quietMs)
  const before = JSON.stringify(log.lives.map(({ containerId, endedAtNs }) => [containerId, `${endedAtNs}`]))
  await delay(quietMs)
  const after = JSON.stringify(log.lives.map(({ containerId, endedAtNs }) => [containerId, `${endedAtNs}`]))
  return before === after ? [] : ['containers are still started or ended after convergence']
}

function shuffled(names: readonly string[], random: Random): string[] {
  return names.map((name) => ({ name, key: random.next() })).toSorted((a, b) => a.key - b.key).map(({ name }) => name)
}
