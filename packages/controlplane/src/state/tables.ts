import {
  defaultZones,
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

import type { Change } from './change.ts'
import { NodeIndex } from './indexes/node-index.ts'
import { ReferenceIndex } from './indexes/reference-index.ts'
import { occupies, UsageIndex } from './indexes/usage-index.ts'
import { byText, SortedLists } from './sorted-list.ts'
import { SortedMap } from './sorted-map.ts'
import type { Token } from './view.ts'

/** By slot, then by creation; the rest only makes it the same in every process. */
const bySlot = (a: Instance, b: Instance): number =>
  a.slot - b.slot || a.createdAtMs - b.createdAtMs || a.attempt - b.attempt || byText(a.id, b.id)
const byId = (a: Instance, b: Instance): number => byText(a.id, b.id)
const byNumber = (a: Pick<Revision, 'revision'>, b: Pick<Revision, 'revision'>): number =>
  a.revision - b.revision
const byTarget = (a: Rollout, b: Rollout): number => a.to - b.to || byText(a.id, b.id)

type Addressed = Pick<Service, 'addressIndex'>

/**
 * All records with their indexes. `apply` is the only way in, and applying the inverse takes a change back, so
 * that indexes are right after an undone transaction by construction. It takes changes in any order: an
 * instance may come before its revision or its node.
 */
export class Tables {
  zones: ZonesSpec = defaultZones
  readonly services = new SortedMap<Service>()
  readonly externals = new SortedMap<ExternalService>()
  readonly nodes = new SortedMap<Node>()
  readonly instances = new SortedMap<Instance>()
  readonly rollouts = new SortedMap<Rollout>()
  readonly tokens = new SortedMap<Token>()
  readonly secrets = new SortedMap<Secret>()
  readonly revisionsByService = new SortedLists<Pick<Revision, 'revision'> | Revision>(byNumber)
  readonly instancesByService = new SortedLists<Instance>(bySlot)
  readonly instancesByNode = new SortedLists<Instance>(byId)
  readonly rolloutsByService = new SortedLists<Rollout>(byTarget)
  readonly usage = new UsageIndex()
  readonly nodesByPlace = new NodeIndex()
  readonly references = new ReferenceIndex()
  readonly addresses = new Set<number>()

  revisionOf(service: ServiceKey, revision: number): Revision | undefined {
    return this.revisionsByService.find(service, { revision }) as Revision | undefined
  }

  apply(change: Change): void {
    switch (change.kind) {
      case 'zones':
        this.zones = change.after ?? defaultZones
        return
      case 'service':
        this.#applyService(change.key, change.before, change.after)
        return
      case 'external':
        this.#moveAddress(change.before, change.after)
        replace(this.externals, change.key, change.after)
        return
      case 'revision':
        this.#applyRevision(change.before, change.after)
        return
      case 'instance':
        this.#applyInstance(change.key, change.before, change.after)
        return
      case 'node':
        this.#applyNode(change.key, change.before, change.after)
        return
      case 'rollout':
        if (change.before) this.rolloutsByService.remove(change.before.service, change.before)
        if (change.after) this.rolloutsByService.put(change.after.service, change.after)
        replace(this.rollouts, change.key, change.after)
        return
      case 'token':
        replace(this.tokens, change.key, change.after)
        return
      case 'secret':
        replace(this.secrets, change.key, change.after)
    }
  }

  #applyService(key: string, before: Service | undefined, after: Service | undefined): void {
    if (before?.revision !== after?.revision) {
      const old = before && this.revisionOf(key, before.revision)
      const next = after && this.revisionOf(key, after.revision)
      if (old) this.references.remove(old)
      if (next) this.references.add(next)
    }
    this.#moveAddress(before, after)
    replace(this.services, key, after)
  }

  #moveAddress(before: Addressed | undefined, after: Addressed | undefined): void {
    if (before?.addressIndex) this.addresses.delete(before.addressIndex)
    if (after?.addressIndex) this.addresses.add(after.addressIndex)
  }

  #applyRevision(before: Revision | undefined, after: Revision | undefined): void {
    const subject = after ?? before
    if (subject === undefined) return
    const { service, revision } = subject
    const wanted = this.services.get(service)?.revision === revision
    const users = this.instancesByService.read(service).filter((one) => one.revision === revision)
    for (const user of users) this.#release(user)
    if (before) {
      if (wanted) this.references.remove(before)
      this.revisionsByService.remove(service, before)
    }
    if (after) {
      if (wanted) this.references.add(after)
      this.revisionsByService.put(service, after)
    }
    for (const user of users) this.#reserve(user)
  }

  #applyInstance(key: string, before: Instance | undefined, after: Instance | undefined): void {
    const same = before !== undefined && after !== undefined && this.#reservesAlike(before, after)
    if (before) {
      if (!same) this.#release(before)
      if (!after || bySlot(before, after) !== 0 || before.service !== after.service) {
        this.instancesByService.remove(before.service, before)
      }
      if (before.node !== null && before.node !== after?.node) {
        this.instancesByNode.remove(before.node, before)
      }
    }
    if (after) {
      this.instancesByService.put(after.service, after)
      if (after.node !== null) this.instancesByNode.put(after.node, after)
      if (!same) this.#reserve(after)
    }
    replace(this.instances, key, after)
  }

  #applyNode(key: string, before: Node | undefined, after: Node | undefined): void {
    // Only the confirmation of a death changes what instances reserve.
    const flips = (before?.confirmedDead ?? false) !== (after?.confirmedDead ?? false)
    const affected = flips ? this.instancesByNode.read(key) : []
    for (const instance of affected) this.#release(instance)
    if (before) this.nodesByPlace.remove(before)
    if (after) this.nodesByPlace.add(after)
    replace(this.nodes, key, after)
    for (const instance of affected) this.#reserve(instance)
  }

  #occupied(instance: Instance): string | null {
    if (instance.node === null) return null
    const dead = this.nodes.get(instance.node)?.confirmedDead ?? false
    return occupies(instance, dead) ? instance.node : null
  }

  #reserve(instance: Instance): void {
    const node = this.#occupied(instance)
    if (node === null) return
    this.usage.add(node, instance, this.revisionOf(instance.service, instance.revision))
  }

  #release(instance: Instance): void {
    const node = this.#occupied(instance)
    if (node === null) return
    this.usage.remove(node, instance, this.revisionOf(instance.service, instance.revision))
  }

  #reservesAlike(before: Instance, after: Instance): boolean {
    return (
      before.revision === after.revision &&
      before.service === after.service &&
      before.hostPorts === after.hostPorts &&
      this.#occupied(before) === this.#occupied(after)
    )
  }
}

function replace<V>(map: SortedMap<V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
