import { setTimeout as delay } from 'node:timers/promises'

import type { EventView, ListView } from '@bulkhead/shared'

import { type Cluster, waitConverged } from '../cluster/cluster.ts'
import { running, witness } from '../cluster/witness.ts'
import { waitFor } from '../engines/command.ts'
import type { HostProcess } from '../engines/host-process.ts'
import type { Random } from '../simulation/random.ts'
import type { EngineLog } from './engine-log.ts'
import { burnProcessors } from './load.ts'

/** What was seen in one kind of trouble, during which everybody is there. */
export interface Seen {
  seconds: number
  /** Nodes that were called suspect, about which nothing is done yet. */
  suspects: number
  /** Nodes that were called lost. */
  losses: number
  /** Containers that started or ended. */
  moves: number
}

export interface AlarmResult {
  readonly phases: ReadonlyMap<string, Seen>
  readonly stops: number
  /** From the cut of a host at the end to everything running elsewhere: alarms are still raised. */
  readonly realLossMs: number
}

export interface AlarmOptions {
  readonly phaseMs: number
  readonly rounds: number
  readonly random: Random
  readonly onPhase?: (name: string, seen: Seen) => void
}

const lossPercent = 20
/** With the defaults: a node is lost after 2.5 s of silence, of which half a second may be from before the stop. */
const longestStopMs = 1700
const pauseMs = 1500
const replicas = 6
const elsewhereMs = 30_000

export const alarmSpec = (image: string): string => `
apiVersion: bulkhead/v1
kind: Service
name: web
zone: application
image: ${image}
replicas: ${replicas}
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 32Mi }
health: { readiness: { http: { port: http, path: /healthz }, interval: 1s, failures: 10 } }
stop: { drain: 0, grace: 1s }
update: { minHealthyTime: 0 }
placement: { spread: [ node ] }
`

/** Counts what the control plane says of its nodes, and what the engines say of their containers. */
class Watch {
  readonly #cluster: Cluster
  readonly #log: EngineLog
  #revision = 0

  constructor(cluster: Cluster, log: EngineLog) {
    this.#cluster = cluster
    this.#log = log
  }

  /** Since it was last asked. */
  async read(): Promise<Pick<Seen, 'suspects' | 'losses'>> {
    const { items } = await this.#cluster.api<ListView<EventView>>(`/v1/events?kind=Node&since=${this.#revision}`)
    const fresh = items.filter(({ revision }) => revision > this.#revision)
    this.#revision = Math.max(this.#revision, ...fresh.map(({ revision }) => revision))
    const count = (wanted: string): number => fresh.filter(({ action }) => action === wanted).length
    return { suspects: count('suspect'), losses: count('lost') }
  }

  get turns(): number {
    return this.#log.lives.reduce((sum, { endedAtNs }) => sum + (endedAtNs === null ? 1 : 2), 0)
  }
}

/** A fifth of all packets is lost in both directions, all the time. */
async function loseBothWays({ hosts }: Cluster): Promise<void> {
  for (const host of hosts.hosts) {
    await host.dropFrom(hosts.address, lossPercent)
    await host.dropToOutside(lossPercent)
  }
}

/**
 * All machines are there all the time, and the network loses packets; meanwhile agents or the control plane stand
 * still for shorter than the limit, or every core is busy. At the end a host is really cut off.
 */
export async function alarmCampaign(cluster: Cluster, log: EngineLog, options: AlarmOptions): Promise<AlarmResult> {
  const { random, phaseMs, rounds, onPhase } = options
  const watch = new Watch(cluster, log)
  let stops = 0
  const standStill = async (untilMs: number, pick: () => HostProcess): Promise<void> => {
    while (performance.now() + longestStopMs + pauseMs < untilMs) {
      const process = pick()
      process.kill('SIGSTOP')
      await delay(random.integer(200, longestStopMs))
      process.kill('SIGCONT')
      stops += 1
      await delay(random.integer(pauseMs / 2, pauseMs))
    }
    await delay(Math.max(0, untilMs - performance.now()))
  }
  const phases: Readonly<Record<string, (untilMs: number) => Promise<void>>> = {
    'packets lost': (untilMs) => delay(untilMs - performance.now()),
    'packets lost, agents stopped': (untilMs) =>
      standStill(untilMs, () => cluster.agent(random.integer(1, cluster.hosts.hosts.length))),
    'packets lost, control plane stopped': (untilMs) => standStill(untilMs, () => cluster.controlPlane()),
    'packets lost, all cores busy': async (untilMs) => {
      using _ = burnProcessors(cluster.hosts)
      await delay(untilMs - performance.now())
    },
  }
  const all = new Map<string, Seen>(Object.keys(phases).map((name) => [name, { seconds: 0, suspects: 0, losses: 0, moves: 0 }]))
  await loseBothWays(cluster)
  await watch.read()
  for (let round = 0; round < rounds; round++) {
    for (const [name, phase] of Object.entries(phases)) {
      const turns = watch.turns
      await phase(performance.now() + phaseMs)
      const seen = all.get(name)
      if (!seen) continue
      const { suspects, losses } = await watch.read()
      seen.seconds += phaseMs / 1000
      seen.suspects += suspects
      seen.losses += losses
      seen.moves += watch.turns - turns
      onPhase?.(name, seen)
    }
  }
  for (const host of cluster.hosts.hosts) await host.clearDrops()
  return { phases: all, stops, realLossMs: await reallyLose(cluster) }
}

async function reallyLose(cluster: Cluster): Promise<number> {
  await waitConverged(cluster, elsewhereMs)
  const { hosts } = cluster.hosts
  const [last] = hosts.slice(-1)
  if (!last) throw new Error('there is no host')
  const others = hosts.filter((host) => host !== last)
  const since = performance.now()
  await last.cut()
  await waitFor('everything to run elsewhere', elsewhereMs, async () => running(await witness(others)).length === replicas)
  return performance.now() - since
}
