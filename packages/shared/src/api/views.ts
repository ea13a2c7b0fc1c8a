import type { ClusterEvent } from '../model/event.ts'
import type { HealthState, InstanceState } from '../model/instance.ts'
import type { Domain, EngineFacts, NetworkFacts, NodeCapacity, NodeState } from '../model/node.ts'
import type { RolloutPhase, ServiceStatus } from '../model/service.ts'
import type { ExternalServiceSpec, ServiceSpec, ZonePolicy } from '../spec/spec.ts'
import type { Endpoint } from '../wire/endpoints.ts'

/** What the API sends. Fields are only ever added. Times are RFC 3339 in UTC; null: not yet. */

export interface ListView<T> {
  readonly revision: number
  readonly items: readonly T[]
}

/** One server-sent event of a watch; `id:` of the event is the revision. */
export interface WatchEvent<T> {
  readonly revision: number
  readonly type: 'put' | 'delete'
  readonly item: T
}

export interface ServiceView {
  readonly name: string
  readonly environment: string
  readonly zone: string
  readonly image: string
  readonly digest: string
  readonly revision: number
  readonly replicas: {
    readonly desired: number
    readonly running: number
    readonly healthy: number
    /** Instances of the wanted template that are healthy. */
    readonly updated: number
  }
  readonly status: ServiceStatus
  readonly reason: string
  readonly deleting: boolean
  readonly labels: Readonly<Record<string, string>>
  /** Where its ports are reached on every node that may reach it; null: nowhere but at its instances. */
  readonly address: string | null
  readonly createdAt: string
  /** Fields of `security` that loosen the hardened default, for people. */
  readonly loosened: readonly string[]
  /** The normalised spec; for a single service only. */
  readonly spec?: ServiceSpec
  /** The document as it was applied. */
  readonly source?: Readonly<Record<string, unknown>>
}

/** Of POST …/undo. */
export interface UndoView extends ServiceView {
  /** The revision whose content the service goes back to; `revision` is the new one that has it. */
  readonly undoneTo: number
}

export interface InstanceView {
  readonly id: string
  readonly service: string
  readonly environment: string
  readonly zone: string
  readonly node: string | null
  readonly slot: number
  readonly revision: number
  readonly state: InstanceState
  readonly health: HealthState
  readonly reason: string
  readonly containerId: string | null
  readonly image: string
  readonly digest: string
  readonly createdAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly exitCode: number | null
  readonly attempt: number
  readonly predecessor: string | null
  readonly endpoints: readonly {
    readonly port: string
    readonly address: string
    readonly hostPort: number
  }[]
}

export interface NodeView {
  readonly name: string
  readonly address: string
  readonly zones: readonly string[]
  readonly environments: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly domain: Domain
  readonly state: NodeState
  readonly reason: string
  readonly capacity: NodeCapacity
  readonly used: NodeCapacity & { readonly instances: number }
  readonly engine: EngineFacts | null
  readonly network: NetworkFacts
  readonly agentVersion: string
  readonly joinedAt: string
  readonly lastHeardAt: string | null
}

/** How far a rollout that moves traffic by steps has come. */
export interface ShiftView {
  readonly strategy: 'canary' | 'blue-green'
  /** Counted from 1. */
  readonly step: number
  /** `pause`: a duration, or `manual`. */
  readonly steps: readonly { readonly weight: number; readonly pause: string }[]
  /** Per cent of new traffic that the new revision gets now. */
  readonly weight: number
  readonly waitsFor: 'instances' | 'time' | 'promote' | 'resume' | 'nothing'
  readonly dueAt: string | null
  /** To the new revision since the step began, and how many of them have failed. */
  readonly requests: number
  readonly errors: number
  readonly maxErrorPercent: number
  /** With fewer requests errors are not judged. */
  readonly minRequests: number
}

export interface RolloutView {
  readonly id: string
  readonly service: string
  readonly environment: string
  readonly from: number | null
  readonly to: number
  readonly phase: RolloutPhase
  readonly reason: string
  readonly startedAt: string
  readonly deadlineAt: string | null
  readonly endedAt: string | null
  readonly shift?: ShiftView
  readonly history: readonly { readonly at: string; readonly text: string }[]
}

export interface RevisionView {
  readonly service: string
  readonly environment: string
  readonly revision: number
  readonly current: boolean
  readonly image: string
  readonly digest: string
  readonly actor: string
  readonly cause: string
  readonly createdAt: string
}

export interface ZoneView extends ZonePolicy {
  readonly name: string
  readonly nodes: number
  readonly services: number
}

export interface ExternalServiceView extends ExternalServiceSpec {
  readonly revision: number
}

export type EventView = ClusterEvent

export interface EndpointsView {
  readonly service: string
  readonly environment: string
  readonly revision: number
  readonly endpoints: readonly Endpoint[]
}

/** One document of an apply, as plain data; `at` lets errors be shown at their place in the file. */
export interface ApplyRequest {
  readonly documents: readonly unknown[]
  /** Deletes the services of the documents' environments that are not among the documents. */
  readonly prune?: boolean
  /** Accepts a change that no set of nodes known now can satisfy. */
  readonly allowPending?: boolean
}

export interface FieldChange {
  /** JSON pointer into the document. */
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

export interface ObjectChange {
  readonly kind: 'Service' | 'ExternalService' | 'Zones'
  readonly name: string
  readonly environment: string | null
  readonly action: 'create' | 'update' | 'unchanged' | 'delete'
  readonly revision: number
  readonly changes: readonly FieldChange[]
  readonly warnings: readonly string[]
}

/** Of POST /v1/apply and POST /v1/diff. */
export interface ApplyResult {
  readonly revision: number
  readonly objects: readonly ObjectChange[]
}

/** Of POST /v1/plan: what would happen, in order; nothing is changed. */
export interface PlanResult extends ApplyResult {
  readonly steps: readonly {
    readonly service: string
    readonly environment: string
    readonly action: 'place' | 'replace' | 'stop' | 'wait' | 'keep'
    readonly slot: number
    readonly instance: string | null
    readonly node: string | null
    readonly reason: string
  }[]
  readonly refused: readonly {
    readonly service: string
    readonly environment: string
    readonly reason: string
  }[]
  /** How traffic would move to the new revision, step by step; of services that replace one by one there is nothing. */
  readonly rollouts: readonly {
    readonly service: string
    readonly environment: string
    readonly strategy: 'canary' | 'blue-green'
    readonly steps: readonly string[]
  }[]
}

/** Why something is where it is, or is nowhere. */
export interface ExplainView {
  readonly subject: string
  readonly summary: string
  /** For each node, in order of preference: chosen or why not. */
  readonly nodes: readonly {
    readonly node: string
    readonly verdict: 'fits' | 'chosen' | 'refused'
    readonly reasons: readonly string[]
    readonly score: number | null
  }[]
  /** Recent events of the subject, oldest first. */
  readonly history: readonly ClusterEvent[]
}

/** A secret without its value. */
export interface SecretView {
  readonly name: string
  readonly environment: string
  readonly version: number
  readonly createdAt: string
  readonly updatedAt: string
}
