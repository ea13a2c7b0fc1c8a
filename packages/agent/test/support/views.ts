import type { ContainerInfo } from '../../src/core/container.ts'
import { type Lineage, type Link, newLineage, newLink, observe } from '../../src/core/lineage.ts'
import { ownership } from '../../src/core/ownership.ts'
import type { LineageView } from '../../src/core/view.ts'
import { assignment } from './templates.ts'

export const nowMs = 1_000_000

export function container(instance: string, changes: Partial<ContainerInfo> = {}): ContainerInfo {
  return {
    id: `c-${instance}`,
    name: `bulkhead-${instance}`,
    labels: { [ownership.instance]: instance },
    state: 'running',
    startedAtMs: nowMs - 60_000,
    finishedAtMs: null,
    exitCode: null,
    oomKilled: false,
    error: '',
    address: '172.20.0.2',
    isDetached: false,
    ...changes,
  }
}

export const exited = (instance: string, exitCode: number, changes: Partial<ContainerInfo> = {}) =>
  container(instance, { state: 'exited', exitCode, finishedAtMs: nowMs, address: '', ...changes })

export function lineage(
  changes: Parameters<typeof assignment>[0] = {},
  observed: Partial<Link['observed']> = {},
  link: Partial<Link> = {},
): Lineage {
  const assigned = assignment(changes)
  const { instance: id, attempt, startAtMs } = assigned
  const fresh = newLink({ id, predecessor: null, attempt, startAtMs }, nowMs - 60_000)
  const current = observe(fresh, { ...fresh.observed, ...observed }, nowMs - 60_000)
  return newLineage(assigned, { ...current, ...link })
}

export function view(changes: Partial<LineageView> = {}): LineageView {
  return {
    lineage: lineage(),
    container: null,
    prepared: null,
    remains: [],
    health: null,
    engineReady: true,
    imageAbsent: false,
    mayPrepare: false,
    isQuiet: false,
    lease: 'held',
    rival: null,
    ...changes,
  }
}

/** Observations of a link that runs and is healthy. */
export const running = {
  state: 'running',
  health: 'healthy',
  reason: 'it runs, and has no readiness probe',
  startedAtMs: nowMs - 60_000,
  healthySinceMs: nowMs - 60_000,
} as const
