import type { PlannedNode } from '../cluster-plan.ts'

/** What the measuring process tells the fleet's process, one after the other; each is answered when it is done. */
export type Command =
  | {
      readonly kind: 'connect'
      readonly url: string
      readonly agents: readonly (PlannedNode & { readonly token: string })[]
    }
  /** Services, as `ENVIRONMENT/NAME`, whose endpoints are followed as a client does. */
  | {
      readonly kind: 'watch'
      readonly url: string
      readonly token: string
      readonly services: readonly string[]
    }
  | { readonly kind: 'load'; readonly changesPerS: number; readonly forS: number }
  /** Connections break and nothing is said any more; containers run on. */
  | { readonly kind: 'cut'; readonly count: number }
  | { readonly kind: 'restore' }
  | { readonly kind: 'end' }

export interface LoadFigures {
  readonly changesPerS: number
  readonly heartbeatsPerS: number
  /** From the report of a change to the event of a watcher of the service's endpoints. */
  readonly watcherMs: readonly number[]
  /** From the report of a change to the table on another node. */
  readonly agentMs: readonly number[]
  /** From a heartbeat to its acknowledgement. */
  readonly heartbeatMs: readonly number[]
}

/** What a load has shown; null before the first one. */
export type Answer = LoadFigures | null
