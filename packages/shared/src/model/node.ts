import Type, { type Static } from 'typebox'

export const NodeCapacity = Type.Object({ cpuMillis: Type.Integer(), memoryBytes: Type.Integer() })
export type NodeCapacity = Static<typeof NodeCapacity>

export const EngineFacts = Type.Object({
  version: Type.String(),
  apiVersion: Type.String(),
  os: Type.String(),
  architecture: Type.String(),
  kernel: Type.String(),
  cgroup: Type.String(),
  storage: Type.String(),
})
export type EngineFacts = Static<typeof EngineFacts>

/** The failure domain path; host is the physical machine under a virtual one. Null: not known. */
export const Domain = Type.Object({
  provider: Type.Union([Type.String(), Type.Null()]),
  site: Type.Union([Type.String(), Type.Null()]),
  rack: Type.Union([Type.String(), Type.Null()]),
  host: Type.String(),
})
export type Domain = Static<typeof Domain>

/** What the node can do for the separation of zones and for traffic; a reason is empty when there is nothing to say. */
export const NetworkFacts = Type.Object({
  /** Zones are enforced in the kernel. */
  enforced: Type.Boolean(),
  enforcedReason: Type.String(),
  /** Version of the node-local proxy; null: there is none. */
  proxy: Type.Union([Type.String(), Type.Null()]),
  proxyReason: Type.String(),
  /** Why containers on some of its networks cannot look names up; absent: an agent that does not tell. */
  namesReason: Type.Optional(Type.String()),
})
export type NetworkFacts = Static<typeof NetworkFacts>

/** What a node says of itself when it joins and each time it connects. */
export const NodeFacts = Type.Object({
  address: Type.String(),
  zones: Type.Array(Type.String()),
  environments: Type.Array(Type.String()),
  labels: Type.Record(Type.String(), Type.String()),
  domain: Domain,
  capacity: NodeCapacity,
  engine: Type.Union([EngineFacts, Type.Null()]),
  agentVersion: Type.String(),
  network: NetworkFacts,
})
export type NodeFacts = Static<typeof NodeFacts>

/** ready: heard from and its engine answers; suspect: silent; down: heard from, but its engine does not answer. */
export type Liveness = 'ready' | 'suspect' | 'lost' | 'down'
export type Admittance = 'open' | 'cordoned' | 'draining'
export type NodeState = 'ready' | 'suspect' | 'lost' | 'cordoned' | 'draining' | 'down'

export interface Node {
  readonly name: string
  readonly facts: NodeFacts
  /** Labels that operators set; they win over the labels in `facts`. */
  readonly labels: Readonly<Record<string, string>>
  readonly liveness: Liveness
  readonly livenessReason: string
  readonly livenessSinceMs: number
  /** An operator vouched that the machine is off; cleared when it connects again. */
  readonly confirmedDead: boolean
  /** The cluster's configuration lets it take instances although its kernel does not hold zones. */
  readonly mayBeUnenforced?: boolean
  readonly admittance: Admittance
  readonly drainDueAtMs: number | null
  readonly joinedAtMs: number
}

/** The one state that people see. */
export function nodeState(node: Node): NodeState {
  if (node.liveness !== 'ready') return node.liveness
  if (node.admittance === 'cordoned') return 'cordoned'
  return node.admittance === 'draining' ? 'draining' : 'ready'
}

/** All labels that selectors see. The well-known ones win over the operator's, and those over the agent's. */
export function nodeLabels(node: Node): Record<string, string> {
  const { provider, site, rack, host } = node.facts.domain
  const known: Record<string, string> = { node: node.name, host }
  if (provider !== null) known['provider'] = provider
  if (site !== null) known['site'] = site
  if (rack !== null) known['rack'] = rack
  if (node.facts.engine) {
    known['os'] = node.facts.engine.os
    known['arch'] = node.facts.engine.architecture
  }
  return { ...node.facts.labels, ...node.labels, ...known }
}
