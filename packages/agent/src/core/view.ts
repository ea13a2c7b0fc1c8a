import type { Action } from './action.ts'
import type { ContainerInfo } from './container.ts'
import type { HealthView } from './health.ts'
import type { LeaseStanding } from './lease.ts'
import type { Lineage } from './lineage.ts'

/** Everything that the plan for one lineage depends on. */
export interface LineageView {
  readonly lineage: Lineage
  /** The container of the current link. */
  readonly container: ContainerInfo | null
  /** The container of the successor, made ahead. */
  readonly prepared: ContainerInfo | null
  /** Containers of earlier links that are still there. */
  readonly remains: readonly ContainerInfo[]
  /** What the probes say; null as long as they have not begun. */
  readonly health: HealthView | null
  /** The engine answers, and what it said is complete. */
  readonly engineReady: boolean
  /** The engine said that it lacks the image. */
  readonly imageAbsent: boolean
  /** A successor may be created now: the engine has nothing better to do. */
  readonly mayPrepare: boolean
  /** It drains, and nobody has been connected to it for a moment. */
  readonly isQuiet: boolean
  /** Whether what is exclusive may run here. */
  readonly lease: LeaseStanding
  /** What runs in the slot of an exclusive lineage without being part of it. */
  readonly rival: string | null
}

/** True when the lineage is exclusive and its node is not sure to be the only one that runs it. */
export function lacksLease({ lineage, lease }: LineageView): boolean {
  return lineage.assignment.template.exclusive && (lease === 'ending' || lease === 'over')
}

/** True when the lineage is exclusive and the control plane has not said that it still belongs here. */
export function awaitsLease({ lineage, lease }: LineageView): boolean {
  return lineage.assignment.template.exclusive && lease !== 'held'
}

export interface Plan {
  readonly actions: readonly Action[]
  /** Plan again at this wall-clock time even if nothing changes by then; null: only when something changes. */
  readonly dueAtMs: number | null
}

export const idle: Plan = { actions: [], dueAtMs: null }

export const step = (...actions: readonly Action[]): Plan => ({ actions, dueAtMs: null })

export const waitUntil = (dueAtMs: number): Plan => ({ actions: [], dueAtMs })
