/** Labels that tell whose a container is. What lacks our cluster and node is never touched. */
export const ownership = {
  cluster: 'bulkhead.cluster',
  node: 'bulkhead.node',
  environment: 'bulkhead.environment',
  zone: 'bulkhead.zone',
  service: 'bulkhead.service',
  slot: 'bulkhead.slot',
  instance: 'bulkhead.instance',
  revision: 'bulkhead.revision',
  template: 'bulkhead.template',
  origin: 'bulkhead.origin',
  predecessor: 'bulkhead.predecessor',
  attempt: 'bulkhead.attempt',
  startAt: 'bulkhead.start-at',
  /** Host ports by port name, as JSON. */
  ports: 'bulkhead.ports',
  /** Present when it must not outlive the lease of its node. */
  exclusive: 'bulkhead.exclusive',
  /** Addresses that it was given in the fenced parts of its network, with a comma between; absent: none. */
  addresses: 'bulkhead.addresses',
  /** Thousandths of a core that hold once it runs; absent where its limit holds from the start. */
  cpuLimit: 'bulkhead.cpu-limit',
} as const

/** Who this agent is; known once it has joined. */
export interface NodeIdentity {
  readonly cluster: string
  readonly node: string
}

/** The labels that every container and network of this agent bears. */
export function ownLabels(identity: NodeIdentity): Readonly<Record<string, string>> {
  return { [ownership.cluster]: identity.cluster, [ownership.node]: identity.node }
}

export function isOwn(labels: Readonly<Record<string, string>>, identity: NodeIdentity): boolean {
  return labels[ownership.cluster] === identity.cluster && labels[ownership.node] === identity.node
}
