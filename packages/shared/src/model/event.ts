export type Actor = string

/** Something that happened: who, what, when, why. `action` is a verb in the past tense in kebab case. */
export interface ClusterEvent {
  /** The revision of the write that it belongs to. */
  readonly revision: number
  readonly at: string
  readonly kind:
    | 'Service'
    | 'ExternalService'
    | 'Instance'
    | 'Node'
    | 'Rollout'
    | 'Zones'
    | 'Token'
    | 'Secret'
    | 'Cluster'
  /** Key of the object: `ENV/NAME`, an instance id, a node's name … */
  readonly subject: string
  /** `admin`, `controlplane`, `node:NAME` … */
  readonly actor: Actor
  readonly action: string
  readonly reason: string
}
