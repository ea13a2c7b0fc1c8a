import { setTimeout as delay } from 'node:timers/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'

import { makeApp } from '../../packages/controlplane/src/api/app.ts'
import { mintToken } from '../../packages/controlplane/src/api/auth.ts'
import type { ConfigSource } from '../../packages/controlplane/src/config/schema.ts'
import { planNodes, planServices, type PlannedNode } from './cluster-plan.ts'
import {
  applyDocuments,
  complaints,
  openControlPlane,
  pinnedImage,
  registerNodes,
  scratchDirectory,
  type ControlPlane,
} from './control-plane.ts'
import { Fleet } from './fleet/fleet.ts'
import { firstUnconverged, inState, isConverged } from './look.ts'
import { measureLoss, type LossFigures } from './loss.ts'
import { cpuSeconds, peakMegabytes, progress, quantile, seconds, until, waitedMs } from './measure.ts'

export interface AgentsSize {
  readonly agents: number
  readonly instances: number
  readonly environments: number
  /** Status changes per second that are tried, one after the other. */
  readonly rates: readonly number[]
  readonly forS: number
}

interface LoadRow {
  readonly wantedPerS: number
  readonly changesPerS: number
  readonly heartbeatsPerS: number
  readonly cpuPercent: number
  /** Part of the time in which the main thread could have run and others had the processor. */
  readonly waitedPercent: number
  readonly watcherP50Ms: number
  readonly watcherP99Ms: number
  /** From the report of a change to the first other agent's table. */
  readonly agentP50Ms: number
  readonly agentP99Ms: number
  readonly heartbeatP99Ms: number
  readonly loopDelayP99Ms: number
  readonly samples: number
}

export interface AgentsFigures {
  readonly agents: number
  readonly instances: number
  /** From the first connection until every node is ready. */
  readonly connectedS: number
  /** From the first `apply` until every instance is healthy and every service converged. */
  readonly deployedS: number
  readonly rows: readonly LoadRow[]
  readonly loss: LossFigures
  readonly peakMB: number
}

const watchedServices = 50
/** The many agents share two cores here with what is measured. */
const loadNiceness = 10
/** Agents whose changes of state are timed, with the watchers, in a process that has little else to do. */
const probingAgents = 20
const probesPerS = 50
const settleMs = 1000
/** Sessions over WebSockets: everything comes up, changes at growing rates, and a part falls silent at once. */
export async function measureAgents(
  size: AgentsSize,
  nodes: NonNullable<ConfigSource['nodes']>,
): Promise<AgentsFigures> {
  using directory = await scratchDirectory()
  // A fifth of the nodes is a mass here, so that the brake is seen at work.
  const times = { heartbeat: '1s', suspectAfter: '2s', lostAfter: '4s', restartGrace: '1s' }
  const config = { massLossBrake: '10%', ...times, ...nodes }
  await using plane = await openControlPlane(directory.path, { nodes: config })
  const environments = Array.from({ length: size.environments }, (_, index) => `env-${index}`)
  const shape = { instances: size.instances, nodes: size.agents }
  const planned = planNodes(shape, environments)
  await registerNodes(plane, planned, 'suspect')
  await using api = await serve(plane)
  plane.monitor.start(plane.signal)
  plane.loop.start(plane.signal)
  await using fleet = new Fleet(loadNiceness)
  await using probes = new Fleet()
  const step = Math.ceil(size.agents / probingAgents)
  const probing = planned.filter((_, index) => index % step === step - 1)
  const connecting = performance.now()
  await connect(fleet, plane, planned.filter((node) => !probing.includes(node)), api)
  await connect(probes, plane, probing, api)
  await until('connecting', () => inState(plane, 'ready') === size.agents)
  const connectedS = seconds(performance.now() - connecting)
  progress(`${size.agents} agents connected after ${connectedS} s`)
  const deploying = performance.now()
  await applyDocuments(plane, planServices(shape, environments))
  await until('deploying', () => isConverged(plane), () => firstUnconverged(plane))
  const deployedS = seconds(performance.now() - deploying)
  progress(`${size.instances} instances run after ${deployedS} s`)
  await watch(probes, plane, probing, api)
  await delay(settleMs)
  const rows: LoadRow[] = []
  for (const rate of size.rates) rows.push(await underLoad(fleet, probes, rate, size.forS))
  await until('calming down', () => isConverged(plane), () => firstUnconverged(plane), 60_000)
  const loss = await measureLoss(plane, fleet, Math.floor(size.agents / 5))
  const { agents, instances } = size
  return { agents, instances, connectedS, deployedS, rows, loss, peakMB: peakMegabytes() }
}

interface Api extends AsyncDisposable {
  readonly url: string
  readonly token: string
}

async function serve(plane: ControlPlane): Promise<Api> {
  const { state, hub, monitor, tables, traffic, config } = plane
  const clock = plane.clock
  const app = await makeApp({
    state,
    hub,
    monitor,
    tables,
    traffic,
    config,
    clock,
    logger: complaints,
    version: '0',
    resolveImage: pinnedImage,
    backup: (file) => plane.store.backup(file),
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const token = await state.write({ actor: 'scale' }, (tx) =>
    mintToken(tx, { kind: 'admin', node: null, zone: null, expiresAtMs: null }),
  )
  return { url, token, [Symbol.asyncDispose]: () => app.close() }
}

async function connect(
  fleet: Fleet,
  { state }: ControlPlane,
  planned: readonly PlannedNode[],
  { url }: Api,
): Promise<void> {
  const agents = await state.write({ actor: 'scale' }, (tx) =>
    planned.map((node) => ({
      ...node,
      token: mintToken(tx, { kind: 'node', node: node.name, zone: null, expiresAtMs: null }),
    })),
  )
  await fleet.tell({ kind: 'connect', url, agents })
}

async function watch(
  probes: Fleet,
  { state }: ControlPlane,
  probing: readonly PlannedNode[],
  { url, token }: Api,
): Promise<void> {
  const there = probing.flatMap(({ name }) => state.view.instancesOn(name).map(({ service }) => service))
  const services = [...new Set(there)].slice(0, watchedServices)
  await probes.tell({ kind: 'watch', url, token, services })
  await delay(settleMs)
}

async function underLoad(fleet: Fleet, probes: Fleet, wantedPerS: number, forS: number): Promise<LoadRow> {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  const cpuBefore = process.cpuUsage()
  const waitedBefore = waitedMs()
  const since = performance.now()
  const [bulk, probed] = await Promise.all([fleet.load(wantedPerS, forS), probes.load(probesPerS, forS)])
  const tookMs = performance.now() - since
  const cpuPercent = Math.round((cpuSeconds(cpuBefore) / tookMs) * 100_000)
  const waitedPercent = Math.round(((waitedMs() - waitedBefore) / tookMs) * 100)
  delays.disable()
  const row = {
    wantedPerS: wantedPerS + probesPerS,
    changesPerS: bulk.changesPerS + probed.changesPerS,
    heartbeatsPerS: bulk.heartbeatsPerS + probed.heartbeatsPerS,
    cpuPercent,
    waitedPercent,
    watcherP50Ms: quantile(probed.watcherMs, 0.5),
    watcherP99Ms: quantile(probed.watcherMs, 0.99),
    agentP50Ms: quantile(probed.agentMs, 0.5),
    agentP99Ms: quantile(probed.agentMs, 0.99),
    heartbeatP99Ms: quantile(probed.heartbeatMs, 0.99),
    loopDelayP99Ms: delays.percentile(99) / 1e6,
    samples: probed.watcherMs.length,
  }
  progress(JSON.stringify(row))
  return row
}
