import { setTimeout as delay } from 'node:timers/promises'

import { unobserved } from '@bulkhead/shared'

import { changeRevision } from '../../packages/controlplane/src/rollout/core/new-revision.ts'
import { applyReports } from '../../packages/controlplane/src/sessions/core/apply-reports.ts'
import type { Commit } from '../../packages/controlplane/src/state/view.ts'
import { planNodes, planServices, type Size } from './cluster-plan.ts'
import {
  applyDocuments,
  openControlPlane,
  registerNodes,
  scratchDirectory,
  type ControlPlane,
} from './control-plane.ts'
import { countPlaced, isConverged } from './look.ts'
import { collectPauses, cpuSeconds, megabytes, peakMegabytes, progress, quantile, seconds, until, waitedMs } from './measure.ts'
import { healthyReport } from './reports.ts'

export interface PlacementFigures extends Size {
  readonly services: number
  /** From the first `apply` to the last placement on the disk. */
  readonly placedS: number
  readonly placementsPerS: number
  /** Processor time of the same: the machine may be shared. */
  readonly placedCpuS: number
  /** How long of it others had the processor. */
  readonly placedWaitedS: number
  /** All instances reported as running and healthy, node by node, until every service is converged. */
  readonly convergedS: number
  readonly reportsPerS: number
  readonly convergedCpuS: number
  /** From the write that scales one service up by one until its new instance is placed and on the disk. */
  readonly changeMedianMs: number
  /** Processor time of the same. */
  readonly changeCpuMedianMs: number
  readonly changeP90Ms: number
  readonly changeWorstMs: number
  /** The longest collection of garbage during the changes. */
  readonly longestGcMs: number
  readonly peakMB: number
  readonly heapMB: number
  readonly databaseMB: number
  /** Opening the database again. */
  readonly loadS: number
  readonly loadCpuS: number
}

const reportsInFlight = 32
const samples = 40
/** What the bulk has left behind (old events in the store, garbage) grows with it and is not part of a change. */
const settleMs = ({ instances }: Size): number => 1000 + instances / 100

/** Fills a cluster, lets everything become healthy, changes single services, and starts again from the disk. */
export async function measurePlacements(size: Size): Promise<PlacementFigures> {
  using directory = await scratchDirectory()
  const { path } = directory
  const services = planServices(size)
  const filled = await fill(path, size, services)
  const since = performance.now()
  const cpuBefore = process.cpuUsage()
  await using again = await openControlPlane(path)
  const loadS = seconds(performance.now() - since)
  const loadCpuS = cpuSeconds(cpuBefore)
  if (again.state.view.instances.size < size.instances) throw new Error('the disk has lost instances')
  return { ...size, services: services.length, ...filled, loadS, loadCpuS }
}

async function fill(
  path: string,
  size: Size,
  services: readonly object[],
): Promise<Omit<PlacementFigures, 'loadS' | 'loadCpuS' | 'services' | keyof Size>> {
  await using plane = await openControlPlane(path, { rebalance: { enabled: false } })
  await registerNodes(plane, planNodes(size), 'ready')
  plane.loop.start(plane.signal)
  const placing = performance.now()
  const cpuBefore = process.cpuUsage()
  const waitedBefore = waitedMs()
  const placed = countPlaced(plane)
  await applyDocuments(plane, services)
  progress(`${services.length} services admitted after ${seconds(performance.now() - placing)} s`)
  await until('placing', () => placed() >= size.instances)
  const placedMs = performance.now() - placing
  const placedCpuS = cpuSeconds(cpuBefore)
  const placedWaitedS = seconds(waitedMs() - waitedBefore)
  progress(`placed after ${seconds(placedMs)} s, ${megabytes(process.memoryUsage.rss())} MB`)
  const starting = performance.now()
  const startingCpu = process.cpuUsage()
  await reportAll(plane)
  const reportedMs = performance.now() - starting
  await until('converging', () => isConverged(plane))
  const convergedMs = performance.now() - starting
  const convergedCpuS = cpuSeconds(startingCpu)
  progress(`converged after ${seconds(convergedMs)} s, ${megabytes(process.memoryUsage.rss())} MB`)
  await delay(settleMs(size))
  const pauses = collectPauses()
  const changes = await changeServices(plane)
  const longestGcMs = pauses()
  const { databaseBytes, logBytes } = plane.store.sizes()
  return {
    placedS: seconds(placedMs),
    placedCpuS,
    placedWaitedS,
    placementsPerS: Math.round((size.instances / placedMs) * 1000),
    convergedS: seconds(convergedMs),
    reportsPerS: Math.round((size.instances / reportedMs) * 1000),
    convergedCpuS,
    changeMedianMs: quantile(changes.map(({ ms }) => ms), 0.5),
    changeCpuMedianMs: quantile(changes.map(({ cpuMs }) => cpuMs), 0.5),
    changeP90Ms: quantile(changes.map(({ ms }) => ms), 0.9),
    changeWorstMs: quantile(changes.map(({ ms }) => ms), 1),
    longestGcMs,
    peakMB: peakMegabytes(),
    heapMB: megabytes(process.memoryUsage().heapUsed),
    databaseMB: megabytes(databaseBytes + logBytes),
  }
}

/** Every node's agent says that all it was given runs. */
async function reportAll({ state }: ControlPlane): Promise<void> {
  let waiting: Promise<void>[] = []
  for (const node of Array.from(state.view.nodes.keys())) {
    const nowMs = Date.now()
    const reports = state.view.instancesOn(node).map((instance) => healthyReport(instance, nowMs))
    waiting.push(state.write({ actor: `node:${node}` }, (tx) => applyReports(tx, node, reports)))
    if (waiting.length < reportsInFlight) continue
    await Promise.all(waiting)
    waiting = []
  }
  await Promise.all(waiting)
}

interface Sample {
  readonly ms: number
  readonly cpuMs: number
}

/** Scales single services up by one; each measured until the new instance is placed and on the disk. */
async function changeServices(plane: ControlPlane): Promise<readonly Sample[]> {
  const keys = [...plane.state.view.services.keys()]
  const times: Sample[] = []
  for (let sample = 0; sample < samples; sample++) {
    const key = keys[Math.floor((sample * keys.length) / samples)] ?? ''
    const placed = nextPlacement(plane, key)
    const since = performance.now()
    const cpuBefore = process.cpuUsage()
    await plane.state.write({ actor: 'scale' }, (tx) => {
      const service = tx.services.get(key)
      const current = service && tx.revisionOf(key, service.revision)
      if (!current) return
      const { source, template } = current
      const spec = { ...current.spec, replicas: current.spec.replicas + 1 }
      changeRevision(tx, { key, spec, source, template, actor: tx.actor, cause: 'scaled by one' })
    })
    await placed
    const { user, system } = process.cpuUsage(cpuBefore)
    times.push({ ms: performance.now() - since, cpuMs: (user + system) / 1000 })
    await delay(20)
    await plane.state.settled()
  }
  return times
}

function nextPlacement({ state }: ControlPlane, key: string): Promise<void> {
  const stop = new AbortController()
  return new Promise((resolve) => {
    const look = ({ changes }: Commit): void => {
      const found = changes.some(
        (change) =>
          change.kind === 'instance' &&
          change.after?.service === key &&
          change.after.node !== null &&
          change.after.observed === unobserved,
      )
      if (!found) return
      stop.abort()
      resolve()
    }
    state.feed.subscribe(look, stop.signal)
  })
}

