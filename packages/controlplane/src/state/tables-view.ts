import {
  isOpen,
  type ExternalService,
  type Instance,
  type Node,
  type Revision,
  type Rollout,
  type Secret,
  type Service,
  type ServiceKey,
  type ZonesSpec,
} from '@bulkhead/shared'

import type { SeparationRule } from './indexes/reference-index.ts'
import type { Tables } from './tables.ts'
import type { ClusterView, Token, Usage } from './view.ts'

/** Reads the tables as they are at each moment. */
export class TablesView implements ClusterView {
  readonly cluster: string
  readonly #tables: Tables
  readonly #revision: () => number

  constructor(tables: Tables, cluster: string, revision: () => number) {
    this.#tables = tables
    this.cluster = cluster
    this.#revision = revision
  }

  get revision(): number {
    return this.#revision()
  }

  get zones(): ZonesSpec {
    return this.#tables.zones
  }

  get services(): ReadonlyMap<string, Service> {
    return this.#tables.services
  }

  get externals(): ReadonlyMap<string, ExternalService> {
    return this.#tables.externals
  }

  get nodes(): ReadonlyMap<string, Node> {
    return this.#tables.nodes
  }

  get instances(): ReadonlyMap<string, Instance> {
    return this.#tables.instances
  }

  get rollouts(): ReadonlyMap<string, Rollout> {
    return this.#tables.rollouts
  }

  get tokens(): ReadonlyMap<string, Token> {
    return this.#tables.tokens
  }

  get secrets(): ReadonlyMap<string, Secret> {
    return this.#tables.secrets
  }

  revisionOf(service: ServiceKey, revision: number): Revision | undefined {
    return this.#tables.revisionOf(service, revision)
  }

  revisionsOf(service: ServiceKey): readonly Revision[] {
    return this.#tables.revisionsByService.read(service) as readonly Revision[]
  }

  instancesOf(service: ServiceKey): readonly Instance[] {
    return this.#tables.instancesByService.read(service)
  }

  instancesOn(node: string): readonly Instance[] {
    return this.#tables.instancesByNode.read(node)
  }

  openRolloutOf(service: ServiceKey): Rollout | undefined {
    return this.rolloutsOf(service).findLast(isOpen)
  }

  rolloutsOf(service: ServiceKey): readonly Rollout[] {
    return this.#tables.rolloutsByService.read(service)
  }

  usageOf(node: string): Usage {
    return this.#tables.usage.usageOf(node)
  }

  nodesIn(environment: string, zone: string): readonly Node[] {
    return this.#tables.nodesByPlace.nodesIn(environment, zone)
  }

  separatedBy(service: ServiceKey): readonly SeparationRule[] {
    return this.#tables.references.separatedBy(service)
  }

  isAddressTaken(index: number): boolean {
    return this.#tables.addresses.has(index)
  }

  dependentsOf(service: ServiceKey): readonly ServiceKey[] {
    return this.#tables.references.dependentsOf(service)
  }
}
