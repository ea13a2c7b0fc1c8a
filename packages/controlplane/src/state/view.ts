import type {
  ClusterEvent,
  ExternalService,
  Instance,
  Node,
  Revision,
  Rollout,
  Secret,
  Service,
  ServiceKey,
  ZonesSpec,
} from '@bulkhead/shared'

/** A token as it is kept: never the secret, only its SHA-256. */
export interface Token {
  readonly id: string
  readonly kind: 'admin' | 'join' | 'node' | 'metrics' | 'discovery'
  readonly hash: string
  /** Node that a join token is bound to, or that a node token belongs to; null: any. */
  readonly node: string | null
  readonly zone: string | null
  readonly expiresAtMs: number | null
  readonly createdAtMs: number
}

/**
 * What is reserved on a node by instances that are, or may still be, there; as of now, so that who needs it later
 * asks again.
 */
export interface Usage {
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly instances: number
  /** `tcp/8080` …, in no order. */
  readonly hostPorts: ReadonlySet<string>
}

/**
 * The whole truth, in memory, read-only. All methods cost what they return, never the size of the cluster.
 * Iteration order is by key, so that equal states read the same.
 */
export interface ClusterView {
  readonly revision: number
  readonly cluster: string
  readonly zones: ZonesSpec
  readonly services: ReadonlyMap<string, Service>
  readonly externals: ReadonlyMap<string, ExternalService>
  readonly nodes: ReadonlyMap<string, Node>
  readonly instances: ReadonlyMap<string, Instance>
  readonly rollouts: ReadonlyMap<string, Rollout>
  readonly tokens: ReadonlyMap<string, Token>
  readonly secrets: ReadonlyMap<string, Secret>
  revisionOf(service: ServiceKey, revision: number): Revision | undefined
  /** All kept revisions, oldest first. */
  revisionsOf(service: ServiceKey): readonly Revision[]
  /** All kept instances, gone ones included, by slot and then by creation. */
  instancesOf(service: ServiceKey): readonly Instance[]
  instancesOn(node: string): readonly Instance[]
  openRolloutOf(service: ServiceKey): Rollout | undefined
  rolloutsOf(service: ServiceKey): readonly Rollout[]
  usageOf(node: string): Usage
  /** Nodes that belong to the environment and the zone, whatever their state. */
  nodesIn(environment: string, zone: string): readonly Node[]
  /** Rules of other services that name this one: it must not meet `service` within a domain of level `by`. */
  separatedBy(service: ServiceKey): readonly { readonly service: ServiceKey; readonly by: string }[]
  /** Whether a service has this place in the network of services. */
  isAddressTaken(index: number): boolean
  /** Services whose `dependsOn` names this one. */
  dependentsOf(service: ServiceKey): readonly ServiceKey[]
}

/** Who does it and why; becomes part of the events. */
export interface Authorship {
  readonly actor: string
}

/** Reads see the transaction's own writes. All of it happens, or nothing. */
export interface Transaction extends ClusterView {
  readonly actor: string
  readonly nowMs: number
  putZones(zones: ZonesSpec): void
  putService(service: Service): void
  deleteService(key: ServiceKey): void
  putExternal(external: ExternalService): void
  deleteExternal(key: ServiceKey): void
  putRevision(revision: Revision): void
  deleteRevision(service: ServiceKey, revision: number): void
  putInstance(instance: Instance): void
  deleteInstance(id: string): void
  putNode(node: Node): void
  deleteNode(name: string): void
  putRollout(rollout: Rollout): void
  deleteRollout(id: string): void
  putToken(token: Token): void
  deleteToken(id: string): void
  putSecret(secret: Secret): void
  deleteSecret(key: string): void
  event(event: Pick<ClusterEvent, 'kind' | 'subject' | 'action' | 'reason'> & { actor?: string }): void
}

export type Changed =
  | { readonly kind: 'zones'; readonly before: ZonesSpec; readonly after: ZonesSpec }
  | { readonly kind: 'service'; readonly key: string; readonly before?: Service; readonly after?: Service }
  | { readonly kind: 'external'; readonly key: string; readonly before?: ExternalService; readonly after?: ExternalService }
  | { readonly kind: 'revision'; readonly key: string; readonly before?: Revision; readonly after?: Revision }
  | { readonly kind: 'instance'; readonly key: string; readonly before?: Instance; readonly after?: Instance }
  | { readonly kind: 'node'; readonly key: string; readonly before?: Node; readonly after?: Node }
  | { readonly kind: 'rollout'; readonly key: string; readonly before?: Rollout; readonly after?: Rollout }
  | { readonly kind: 'token'; readonly key: string; readonly before?: Token; readonly after?: Token }
  | { readonly kind: 'secret'; readonly key: string; readonly before?: Secret; readonly after?: Secret }

/** One transaction as readers of the feed see it, after it is durable. */
export interface Commit {
  readonly revision: number
  readonly changes: readonly Changed[]
  readonly events: readonly ClusterEvent[]
}
