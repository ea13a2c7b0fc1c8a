import {
  isGone,
  type Instance,
  type Node,
  type NodeCapacity,
  type Revision,
  type ServiceKey,
} from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import { domainOf } from './labels.ts'
import { portKey } from './ports.ts'
import { mayExist } from './presence.ts'

/** Where instances of one service are, by domain of one level. */
interface Occupants {
  readonly counts: Map<string, number>
  /** An instance on a node that does not know the level: it may be in any domain. */
  stray: Instance | null
}

export interface TakenPorts {
  readonly size: number
  has(key: string): boolean
}

/** What differs from the view on one node. */
interface Difference {
  cpuMillis: number
  memoryBytes: number
  readonly taken: Set<string>
  readonly freed: Set<string>
}

/**
 * What one service may use and what stands in its way: the view, and on top of it what the present
 * batch has already given out. Costs follow the services that the rules name, never the cluster.
 */
export class Books {
  readonly #view: ClusterView
  readonly #service: ServiceKey
  readonly #absent: ReadonlySet<string>
  readonly #differences = new Map<string, Difference>()
  readonly #added: Node[] = []
  readonly #occupants = new Map<string, Occupants>()

  constructor(view: ClusterView, service: ServiceKey, absent: readonly Instance[] = []) {
    this.#view = view
    this.#service = service
    this.#absent = new Set(absent.map(({ id }) => id))
    for (const instance of absent) this.#release(instance)
  }

  /**
   * The same books as if these instances of the service were gone; what is added to either stays
   * apart.
   */
  without(absent: readonly Instance[]): Books {
    const books = new Books(this.#view, this.#service, absent)
    for (const [name, difference] of this.#differences) books.#merge(name, difference)
    books.#added.push(...this.#added)
    return books
  }

  /** What is reserved on the node. */
  reservedOn(node: string): NodeCapacity {
    const usage = this.#view.usageOf(node)
    const difference = this.#differences.get(node)
    if (difference === undefined) return usage
    return {
      cpuMillis: usage.cpuMillis + difference.cpuMillis,
      memoryBytes: usage.memoryBytes + difference.memoryBytes,
    }
  }

  /** The host ports that are taken on the node: `size` may be too large, for a quick look. */
  portsOn(node: string): TakenPorts {
    const { hostPorts } = this.#view.usageOf(node)
    const difference = this.#differences.get(node)
    if (difference === undefined) return hostPorts
    const { taken, freed } = difference
    return {
      size: hostPorts.size + taken.size,
      has: (key) => taken.has(key) || (hostPorts.has(key) && !freed.has(key)),
    }
  }

  /** Where instances of the service are, or may be; kept up to date. */
  occupants(service: ServiceKey, level: string): Readonly<Occupants> {
    const key = `${level} ${service}`
    let found = this.#occupants.get(key)
    if (found === undefined) {
      found = this.#count(service, level)
      this.#occupants.set(key, found)
    }
    return found
  }

  /** Notes a new instance of the service on the node. */
  add(node: Node, revision: Revision, hostPorts: Readonly<Record<string, number>>): void {
    const difference = this.#differenceOf(node.name)
    difference.cpuMillis += revision.template.resources.cpuMillis
    difference.memoryBytes += revision.template.resources.memoryBytes
    for (const key of portKeys(revision, hostPorts)) difference.taken.add(key)
    this.#added.push(node)
    for (const [key, occupants] of this.#occupants) {
      const space = key.indexOf(' ')
      if (key.slice(space + 1) === this.#service) enter(occupants, node, key.slice(0, space), null)
    }
  }

  /**
   * Keeps the room that an instance leaves for the one that will follow it, which may need more.
   */
  reserveSwap(node: string, before: Revision | undefined, after: Revision): void {
    const from = before?.template.resources
    const to = after.template.resources
    const difference = this.#differenceOf(node)
    difference.cpuMillis += Math.max(to.cpuMillis - (from?.cpuMillis ?? 0), 0)
    difference.memoryBytes += Math.max(to.memoryBytes - (from?.memoryBytes ?? 0), 0)
  }

  #differenceOf(node: string): Difference {
    let difference = this.#differences.get(node)
    if (difference === undefined) {
      difference = { cpuMillis: 0, memoryBytes: 0, taken: new Set(), freed: new Set() }
      this.#differences.set(node, difference)
    }
    return difference
  }

  #merge(node: string, other: Difference): void {
    const mine = this.#differenceOf(node)
    mine.cpuMillis += other.cpuMillis
    mine.memoryBytes += other.memoryBytes
    for (const key of other.taken) mine.taken.add(key)
    for (const key of other.freed) mine.freed.add(key)
  }

  #release(instance: Instance): void {
    if (instance.node === null || isGone(instance)) return
    const dead = this.#view.nodes.get(instance.node)?.confirmedDead ?? true
    if (dead && instance.lostAtMs !== null) return
    const revision = this.#view.revisionOf(instance.service, instance.revision)
    if (revision === undefined) return
    const difference = this.#differenceOf(instance.node)
    difference.cpuMillis -= revision.template.resources.cpuMillis
    difference.memoryBytes -= revision.template.resources.memoryBytes
    for (const key of portKeys(revision, instance.hostPorts)) difference.freed.add(key)
  }

  #count(service: ServiceKey, level: string): Occupants {
    const occupants: Occupants = { counts: new Map(), stray: null }
    for (const instance of this.#view.instancesOf(service)) {
      if (instance.node === null || this.#absent.has(instance.id)) continue
      if (!mayExist(this.#view, instance)) continue
      const node = this.#view.nodes.get(instance.node)
      if (node !== undefined) enter(occupants, node, level, instance)
    }
    if (service !== this.#service) return occupants
    for (const node of this.#added) enter(occupants, node, level, null)
    return occupants
  }
}

function enter(occupants: Occupants, node: Node, level: string, instance: Instance | null): void {
  const domain = domainOf(node, level)
  if (domain === undefined) occupants.stray ??= instance
  else occupants.counts.set(domain, (occupants.counts.get(domain) ?? 0) + 1)
}

/** The host ports as a node's usage has them. */
function portKeys(
  revision: Revision,
  hostPorts: Readonly<Record<string, number>>,
): readonly string[] {
  return Object.entries(hostPorts).map(([name, port]) =>
    portKey(revision.template.ports[name]?.protocol ?? 'tcp', port),
  )
}
