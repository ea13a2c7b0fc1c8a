import type {
  InstanceId,
  RolloutPhase,
  ServiceKey,
  ServiceStatus,
  TrafficShift,
} from '@bulkhead/shared'

/** What the reconciler wants done, as data; executed in one transaction by `apply-steps.ts`. */
export type Step =
  /** A new instance: on `node`, or pending with the reason when `node` is null. */
  | {
      readonly kind: 'create'
      readonly id: InstanceId
      readonly slot: number
      readonly revision: number
      readonly node: string | null
      readonly hostPorts: Readonly<Record<string, number>>
      readonly predecessor: InstanceId | null
      readonly attempt: number
      readonly startAtMs: number
      readonly reason: string
    }
  /** A pending instance gets its node, for ever. */
  | {
      readonly kind: 'assign'
      readonly id: InstanceId
      readonly node: string
      readonly hostPorts: Readonly<Record<string, number>>
      readonly reason: string
    }
  /** The reason of a pending instance has changed. */
  | { readonly kind: 'explain'; readonly id: InstanceId; readonly reason: string }
  /** The instance is no longer wanted: its agent drains and stops it. */
  | { readonly kind: 'stop'; readonly id: InstanceId; readonly reason: string }
  /** The instance is given up with its lost node. */
  | { readonly kind: 'give-up'; readonly id: InstanceId; readonly reason: string }
  /** The record of a gone instance is no longer of use. */
  | { readonly kind: 'forget'; readonly id: InstanceId }
  | {
      readonly kind: 'rollout'
      readonly id: string
      readonly phase: RolloutPhase
      readonly progressAtMs: number
      readonly dueAtMs: number | null
      readonly reason: string
      /** Null: traffic is no longer moved by steps; absent: as it is. */
      readonly shift?: TrafficShift | null
      /** A line for the history, or null when nothing worth telling happened. */
      readonly note: string | null
    }
  /** The service goes back to the content of `to`, as a new revision. */
  | { readonly kind: 'roll-back'; readonly to: number; readonly reason: string }
  | { readonly kind: 'status'; readonly status: ServiceStatus; readonly reason: string }
  /** The service was deleted and nothing of it is left. */
  | { readonly kind: 'remove-service'; readonly service: ServiceKey }
  | { readonly kind: 'forget-revision'; readonly revision: number }
  | { readonly kind: 'forget-rollout'; readonly id: string }

export interface Reconciled {
  readonly steps: readonly Step[]
  /** Look again at this wall-clock time even if nothing changes by then; null: only when something changes. */
  readonly dueAtMs: number | null
  /** Something found no place: look again when room may have been made. */
  readonly lacksRoom: boolean
}
