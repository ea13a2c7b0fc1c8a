import type { ServiceKey } from '../ids.ts'
import type { ServiceSpec } from '../spec/spec.ts'
import type { Template } from '../spec/template.ts'

export type ServiceStatus = 'converged' | 'progressing' | 'degraded' | 'blocked'

export interface Service {
  readonly key: ServiceKey
  readonly environment: string
  readonly name: string
  /** The revision that is wanted now. */
  readonly revision: number
  /** Counts placements; part of what instance ids are derived from. */
  readonly serial: number
  /** Place in the network of services, for life; null: the network was full. */
  readonly addressIndex: number | null
  /** True after `delete`: instances are stopped, then the record goes. */
  readonly deleting: boolean
  /** Written by the reconciler when they change. */
  readonly status: ServiceStatus
  readonly reason: string
  readonly createdAtMs: number
}

/** One immutable version of a service's spec, its image pinned to a digest. */
export interface Revision {
  readonly service: ServiceKey
  readonly revision: number
  readonly spec: ServiceSpec
  /** The document as people wrote it, for `diff` and for reading back. */
  readonly source: Readonly<Record<string, unknown>>
  readonly template: Template
  /** Hash of the normalised spec and the image's digest: equal means nothing to apply. */
  readonly specHash: string
  /** Hash of the template: equal means that no instance needs replacing. */
  readonly templateHash: string
  readonly createdAtMs: number
  readonly actor: string
  readonly cause: string
}

export type RolloutPhase =
  | 'progressing'
  | 'paused'
  | 'completed'
  | 'failed'
  | 'rolled-back'
  | 'superseded'

/**
 * How far new traffic has moved to the new revision. A canary's steps are those of its spec; blue-green has two: the
 * new set is started beside the old one, and then it has the traffic while the old one is kept.
 */
export interface TrafficShift {
  readonly strategy: 'canary' | 'blue-green'
  /** Index of the step that is being reached, or that lasts. */
  readonly step: number
  /** Per cent of new traffic for the new revision; while the instances of a step start, that of the step before. */
  readonly weight: number
  /** When the step began: what its instances answer is judged from then on. */
  readonly sinceMs: number
  /** When its instances were available and got its share; null: not yet. */
  readonly reachedAtMs: number | null
  /** When it is over by itself; null: not reached yet, or it waits for somebody to promote it. */
  readonly dueAtMs: number | null
  /** Somebody has let the step be over. */
  readonly promoted: boolean
  /** Since when fewer instances of the new revision are healthy than the step needs, by their own fault. */
  readonly sickSinceMs: number | null
  /** Everything has gone to the new revision, and the old one is no longer kept. */
  readonly done: boolean
}

/** The move of a service from one revision to another. At most one per service is open (progressing or paused). */
export interface Rollout {
  /** `ENVIRONMENT/NAME@TO`. */
  readonly id: string
  readonly service: ServiceKey
  /** Null for the first revision. */
  readonly from: number | null
  readonly to: number
  readonly phase: RolloutPhase
  readonly reason: string
  readonly startedAtMs: number
  /** When an instance of the new revision last became available. */
  readonly progressAtMs: number
  /** Fails at this time unless there is progress before; null while paused or when ended. */
  readonly dueAtMs: number | null
  readonly endedAtMs: number | null
  /** Null or absent: instances are replaced one after the other and share the traffic evenly. */
  readonly shift?: TrafficShift | null
  /** Newest last, at most 50. */
  readonly history: readonly { readonly atMs: number; readonly text: string }[]
}

export const isOpen = (rollout: Rollout): boolean =>
  rollout.phase === 'progressing' || rollout.phase === 'paused'
