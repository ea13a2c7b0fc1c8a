import type { ServiceSource } from '@bulkhead/shared'

/** A machine as it is set up. */
export interface NodePlan {
  readonly name: string
  readonly address: string
  readonly zones: readonly string[]
  readonly environments: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** The physical machine that it is on. */
  readonly host: string
  readonly cpuMillis: number
  readonly memoryMiB: number
  readonly skewMs: number
  readonly preparedSuccessors: number
}

/** What an operator does. Services are named `ENVIRONMENT/NAME`. */
export type OperatorStep =
  | { readonly kind: 'apply'; readonly source: ServiceSource }
  | { readonly kind: 'upgrade'; readonly service: string; readonly image: string }
  | { readonly kind: 'change'; readonly service: string; readonly change: Partial<ServiceSource> }
  | { readonly kind: 'scale'; readonly service: string; readonly replicas: number }
  | { readonly kind: 'undo' | 'pause' | 'resume' | 'restart' | 'delete'; readonly service: string }
  | { readonly kind: 'promote'; readonly service: string; readonly full: boolean }
  | { readonly kind: 'drain'; readonly node: string; readonly deadlineMs: number | null }
  | { readonly kind: 'cordon' | 'uncordon' | 'remove' | 'confirm-dead'; readonly node: string }
  | {
      readonly kind: 'label'
      readonly node: string
      readonly set: Record<string, string>
      readonly remove: string[]
    }

/** What goes wrong. `forMs`: until it is mended. */
export type FaultStep =
  | { readonly kind: 'control-plane-crash'; readonly forMs: number }
  | { readonly kind: 'control-plane-suspended'; readonly forMs: number }
  | { readonly kind: 'control-plane-slow'; readonly forMs: number; readonly factor: number }
  | { readonly kind: 'store-full'; readonly forMs: number }
  | { readonly kind: 'store-slow'; readonly forMs: number; readonly commitMs: number }
  | { readonly kind: 'control-plane-clock'; readonly byMs: number }
  | { readonly kind: 'agent-crash'; readonly node: string; readonly forMs: number }
  | { readonly kind: 'agent-restart'; readonly node: string }
  /** The agent ends, and its journal is gone when it is started again. */
  | { readonly kind: 'journal-lost'; readonly node: string; readonly forMs: number }
  | {
      readonly kind: 'engine-down'
      readonly node: string
      readonly forMs: number
      readonly containersDie: boolean
    }
  /** The engine is down, and comes back without its containers. */
  | { readonly kind: 'containers-lost'; readonly node: string; readonly forMs: number }
  | { readonly kind: 'power-off'; readonly host: string; readonly forMs: number }
  | { readonly kind: 'suspended'; readonly node: string; readonly forMs: number }
  | {
      readonly kind: 'slow'
      readonly node: string
      readonly forMs: number
      readonly factor: number
    }
  | {
      readonly kind: 'cut'
      readonly nodes: readonly string[]
      readonly forMs: number
      readonly direction: 'both' | 'up' | 'down'
    }
  | {
      readonly kind: 'break'
      readonly nodes: readonly string[]
      readonly ends: 'both' | 'client' | 'server'
    }
  | {
      readonly kind: 'slow-network'
      readonly node: string
      readonly forMs: number
      readonly factor: number
    }
  | {
      readonly kind: 'lossy'
      readonly nodes: readonly string[]
      readonly forMs: number
      readonly percent: number
    }
  | { readonly kind: 'events-break'; readonly node: string }
  /** A list of all containers is complete so long after the engine has looked, as on one that has many or is busy. */
  | { readonly kind: 'lists-slow'; readonly node: string; readonly forMs: number; readonly takesMs: number }
  | { readonly kind: 'clock'; readonly node: string; readonly byMs: number }
  | { readonly kind: 'disk-full'; readonly node: string; readonly forMs: number }
  | { readonly kind: 'engine-full'; readonly node: string; readonly forMs: number }
  | { readonly kind: 'pulls-fail' | 'pulls-stall'; readonly node: string; readonly forMs: number }
  /** `choice` picks among the containers that run then. */
  | {
      readonly kind: 'container-crash'
      readonly node: string
      readonly choice: number
      readonly oom: boolean
    }
  | {
      readonly kind: 'container-hang' | 'container-vanish'
      readonly node: string
      readonly choice: number
    }
  | {
      readonly kind: 'container-fails'
      readonly node: string
      readonly choice: number
      readonly forMs: number
    }

export type Step = { readonly atMs: number } & (OperatorStep | FaultStep)

/** Everything that is decided beforehand; what is left to chance follows from the seed. */
export interface Scenario {
  readonly seed: number
  readonly nodes: readonly NodePlan[]
  readonly steps: readonly Step[]
  /** No fault lasts longer than this, and no step comes later. */
  readonly troubleMs: number
}
