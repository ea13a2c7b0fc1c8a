import {
  type ExternalService,
  defaultZones,
  isGone,
  isOpen,
  resolveServiceName,
  type ClusterEvent,
  type Instance,
  type Node,
  type Revision,
  type Rollout,
  type Secret,
  type Service,
  type ServiceKey,
} from '@bulkhead/shared'

import type { Token, Transaction, Usage } from '../../src/state/view.ts'

const byText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)
const bySlot = (a: Instance, b: Instance): number =>
  a.slot - b.slot || a.createdAtMs - b.createdAtMs || a.attempt - b.attempt || byText(a.id, b.id)

interface Load {
  cpuMillis: number
  memoryBytes: number
  instances: number
  readonly ports: Map<string, number>
}

function append<V>(lists: Map<string, Map<string, V>>, list: string, key: string, value: V): void {
  const found = lists.get(list)
  if (found) found.set(key, value)
  else lists.set(list, new Map([[key, value]]))
}

/**
 * Maps and scans: a state for tests of what is pure. Not a model of the real one's speed or of its
 * log.
 */
export class MemoryState implements Transaction {
  readonly cluster = 'test'
  readonly actor = 'controlplane'
  readonly revision = 1
  readonly nodes = new Map<string, Node>()
  readonly services = new Map<string, Service>()
  readonly externals = new Map<string, ExternalService>()
  readonly instances = new Map<string, Instance>()
  readonly rollouts = new Map<string, Rollout>()
  readonly tokens = new Map<string, Token>()
  readonly secrets = new Map<string, Secret>()
  readonly events: Pick<ClusterEvent, 'kind' | 'subject' | 'action' | 'reason'>[] = []
  zones = defaultZones
  nowMs = 1_000_000
  readonly #revisions = new Map<string, Map<string, Revision>>()
  readonly #perService = new Map<string, Map<string, Instance>>()
  readonly #perNode = new Map<string, Map<string, Instance>>()
  readonly #loads = new Map<string, Load>()
  readonly #places = new Map<string, readonly Node[]>()

  revisionOf(service: ServiceKey, revision: number): Revision | undefined {
    return this.#revisions.get(service)?.get(String(revision))
  }

  revisionsOf(service: ServiceKey): readonly Revision[] {
    const all = [...(this.#revisions.get(service)?.values() ?? [])]
    return all.toSorted((a, b) => a.revision - b.revision)
  }

  instancesOf(service: ServiceKey): readonly Instance[] {
    return [...(this.#perService.get(service)?.values() ?? [])].toSorted(bySlot)
  }

  instancesOn(node: string): readonly Instance[] {
    return [...(this.#perNode.get(node)?.values() ?? [])].toSorted((a, b) => byText(a.id, b.id))
  }

  openRolloutOf(service: ServiceKey): Rollout | undefined {
    return this.rolloutsOf(service).find(isOpen)
  }

  rolloutsOf(service: ServiceKey): readonly Rollout[] {
    const all = [...this.rollouts.values()].filter((rollout) => rollout.service === service)
    return all.toSorted((a, b) => a.to - b.to)
  }

  usageOf(node: string): Usage {
    const load = this.#loads.get(node)
    const { cpuMillis = 0, memoryBytes = 0, instances = 0 } = load ?? {}
    return { cpuMillis, memoryBytes, instances, hostPorts: new Set(load?.ports.keys()) }
  }

  nodesIn(environment: string, zone: string): readonly Node[] {
    const key = `${environment}/${zone}`
    let found = this.#places.get(key)
    if (!found) {
      const isIn = ({ facts }: Node): boolean =>
        facts.zones.includes(zone) &&
        (facts.environments.length === 0 || facts.environments.includes(environment))
      found = [...this.nodes.values()].filter(isIn).toSorted((a, b) => byText(a.name, b.name))
      this.#places.set(key, found)
    }
    return found
  }

  #naming(pick: (revision: Revision) => readonly string[], key: ServiceKey): Revision[] {
    const wanted = [...this.services.values()].flatMap(
      (service) => this.revisionOf(service.key, service.revision) ?? [],
    )
    const found = wanted.filter((revision) =>
      pick(revision).some((name) => resolveServiceName(name, revision.service) === key),
    )
    return found.toSorted((a, b) => byText(a.service, b.service))
  }

  isAddressTaken(index: number): boolean {
    return [...this.services.values()].some(({ addressIndex }) => addressIndex === index)
  }

  separatedBy(key: ServiceKey): readonly { readonly service: ServiceKey; readonly by: string }[] {
    return this.#naming(({ spec }) => spec.placement.separate.map(({ from }) => from), key)
      .filter(({ service }) => service !== key)
      .flatMap(({ service, spec }) =>
        spec.placement.separate
          .filter(({ from }) => resolveServiceName(from, service) === key)
          .map(({ by }) => ({ service, by })),
      )
  }

  dependentsOf(key: ServiceKey): readonly ServiceKey[] {
    return this.#naming(({ spec }) => spec.dependsOn, key).map(({ service }) => service)
  }

  putZones(zones: typeof defaultZones): void {
    this.zones = zones
  }

  putExternal(external: ExternalService): void {
    this.externals.set(external.key, external)
  }

  deleteExternal(key: ServiceKey): void {
    this.externals.delete(key)
  }

  putService(service: Service): void {
    this.services.set(service.key, service)
  }

  deleteService(key: ServiceKey): void {
    this.services.delete(key)
  }

  putRevision(revision: Revision): void {
    append(this.#revisions, revision.service, String(revision.revision), revision)
  }

  deleteRevision(service: ServiceKey, revision: number): void {
    this.#revisions.get(service)?.delete(String(revision))
  }

  putInstance(instance: Instance): void {
    this.deleteInstance(instance.id)
    this.instances.set(instance.id, instance)
    append(this.#perService, instance.service, instance.id, instance)
    if (instance.node !== null) append(this.#perNode, instance.node, instance.id, instance)
    this.#reserve(instance, 1)
  }

  deleteInstance(id: string): void {
    const instance = this.instances.get(id)
    if (!instance) return
    this.#reserve(instance, -1)
    this.instances.delete(id)
    this.#perService.get(instance.service)?.delete(id)
    if (instance.node !== null) this.#perNode.get(instance.node)?.delete(id)
  }

  putNode(node: Node): void {
    this.nodes.set(node.name, node)
    this.#places.clear()
  }

  deleteNode(name: string): void {
    this.nodes.delete(name)
    this.#places.clear()
  }

  putRollout(rollout: Rollout): void {
    this.rollouts.set(rollout.id, rollout)
  }

  deleteRollout(id: string): void {
    this.rollouts.delete(id)
  }

  putToken(token: Token): void {
    this.tokens.set(token.id, token)
  }

  deleteToken(id: string): void {
    this.tokens.delete(id)
  }

  putSecret(secret: Secret): void {
    this.secrets.set(secret.key, secret)
  }

  deleteSecret(key: string): void {
    this.secrets.delete(key)
  }

  event(event: Parameters<Transaction['event']>[0]): void {
    this.events.push(event)
  }

  #reserve(instance: Instance, sign: 1 | -1): void {
    if (instance.node === null || isGone(instance)) return
    const template = this.revisionOf(instance.service, instance.revision)?.template
    if (!template) return
    const load = this.#loads.get(instance.node) ?? {
      cpuMillis: 0,
      memoryBytes: 0,
      instances: 0,
      ports: new Map<string, number>(),
    }
    this.#loads.set(instance.node, load)
    load.cpuMillis += sign * template.resources.cpuMillis
    load.memoryBytes += sign * template.resources.memoryBytes
    load.instances += sign
    for (const [name, port] of Object.entries(instance.hostPorts)) {
      const key = `${template.ports[name]?.protocol ?? 'tcp'}/${port}`
      const holders = (load.ports.get(key) ?? 0) + sign
      if (holders === 0) load.ports.delete(key)
      else load.ports.set(key, holders)
    }
  }
}
