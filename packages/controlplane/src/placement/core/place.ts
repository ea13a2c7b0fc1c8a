import type { Instance, InstanceId, Node, Placement, Revision, ServiceKey } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import type { Books } from './books.ts'
import { Candidates, type Candidate } from './candidates.ts'
import { explainNoFit } from './explain-refusal.ts'
import type { Filter, FilterContext } from './filters/filter.ts'
import { allFilters, fits, lastingFilters, passingFilters } from './filters/pipeline.ts'
import { groupNodes } from './groups.ts'
import { domainOf } from './labels.ts'
import { allocatePorts, type PortRange } from './ports.ts'
import { preferenceOf, reservedWith, Tally } from './scores.ts'
import { separationsOf } from './separation.ts'

export interface PlacementRequest {
  readonly service: ServiceKey
  readonly revision: Revision
  readonly rules: Placement
  /** Instances of the service that will stay: what `spread` and "fewest" count. */
  readonly staying: readonly Instance[]
  readonly portRange: PortRange
  readonly books: Books
}

/** One instance that needs a node. */
export interface Want {
  readonly id: InstanceId
  /** Nodes on which its slot has just failed to start: taken only when nothing else fits. */
  readonly avoid: ReadonlySet<string>
}

export type Placed =
  | {
      readonly fits: true
      readonly node: Node
      readonly hostPorts: Readonly<Record<string, number>>
    }
  | { readonly fits: false; readonly reason: string }

/**
 * Places instances of one revision of one service, one after the other. What lasts is asked of the nodes once; all
 * else only of the one that comes up as the best. Placements only ever make nodes unfit, so that one that does not
 * fit is dropped for good.
 */
export class PlacementBatch {
  readonly #view: ClusterView
  readonly #request: PlacementRequest
  readonly #context: FilterContext
  readonly #passing: readonly Filter[]
  /** Levels by which others are to be kept apart from the service, and it not from them. */
  readonly #levelsOfOthers: readonly string[]
  #candidates: Candidates | null = null
  /** Nodes that are taken when nothing else is left; null once it has come to that. */
  #setAside: Candidate[] | null = []
  #refusal: string | null = null
  #hasRefused = false

  constructor(view: ClusterView, request: PlacementRequest) {
    const { service, revision, rules, portRange, books } = request
    this.#view = view
    this.#request = request
    this.#context = { view, service, revision, rules, books, portRange }
    this.#passing = passingFilters(this.#context)
    const others = separationsOf(this.#context).filter(({ own }) => !own)
    this.#levelsOfOthers = others.map(({ by }) => by)
  }

  /** True once something has found no place. */
  get hasRefused(): boolean {
    return this.#hasRefused
  }

  /** Chooses the best node and notes the instance on it. */
  place(want: Want): Placed {
    const found = this.#find(want)
    if (found === null) return { fits: false, reason: this.#explain() }
    const { candidate, hostPorts } = found
    const { revision, books } = this.#request
    books.add(candidate.node, revision, hostPorts)
    this.#open().take(candidate, reservedWith(this.#context, candidate.node))
    return { fits: true, node: candidate.node, hostPorts }
  }

  /** What `place` would choose. */
  peek(want: Want): Placed {
    const found = this.#find(want)
    if (found === null) return { fits: false, reason: this.#explain() }
    return { fits: true, node: found.candidate.node, hostPorts: found.hostPorts }
  }

  /**
   * A node that has room once `leaving` is gone, which is what stopping it first must be sure of;
   * its own node is asked first. Null when there is none.
   */
  nodeWithout(leaving: Instance): Node | null {
    const context = { ...this.#context, books: this.#request.books.without([leaving]) }
    const filters = allFilters(context)
    const home = leaving.node === null ? undefined : this.#view.nodes.get(leaving.node)
    if (home && fits(filters, home)) return home
    const { environment } = this.#request.revision.spec
    const nodes = this.#view.nodesIn(environment, this.#request.revision.template.zone)
    const found = nodes.find((node) => fits(filters, node)) ?? null
    if (found === null) this.#hasRefused = true
    return found
  }

  #find(want: Want): { candidate: Candidate; hostPorts: Readonly<Record<string, number>> } | null {
    const candidates = this.#open()
    const { revision, portRange, books } = this.#request
    const avoided: Candidate[] = []
    let found: { candidate: Candidate; hostPorts: Readonly<Record<string, number>> } | null = null
    for (let best = candidates.best; best && found === null; best = candidates.best) {
      const { name } = best.node
      const hostPorts = fits(this.#passing, best.node)
        ? allocatePorts(revision.template.ports, books.portsOn(name), portRange, want.id)
        : null
      if (hostPorts === null) candidates.remove(best)
      else if (this.#setAside !== null && this.#isInTheWay(best.node)) {
        candidates.remove(best)
        this.#setAside.push(best)
      } else if (want.avoid.has(name)) {
        candidates.remove(best)
        avoided.push(best)
      } else found = { candidate: best, hostPorts }
    }
    for (const candidate of avoided) candidates.restore(candidate)
    if (found === null && this.#setAside !== null) {
      for (const candidate of this.#setAside) candidates.restore(candidate)
      this.#setAside = null
      return this.#find(want)
    }
    const second = avoided[0]
    if (found !== null || second === undefined) return found
    return this.#find({ id: want.id, avoid: new Set() })
  }

  /** From an instance where a level is not known nobody can keep apart: a service that has still to come could not. */
  #isInTheWay(node: Node): boolean {
    return this.#levelsOfOthers.some((by) => domainOf(node, by) === undefined)
  }

  #open(): Candidates {
    if (this.#candidates !== null) return this.#candidates
    const { revision, rules, staying } = this.#request
    const nodes = this.#view.nodesIn(revision.spec.environment, revision.template.zone)
    const group = groupNodes(nodes, {
      rules,
      filters: lastingFilters(this.#context),
      prefer: preferenceOf(this.#context),
    })
    this.#candidates = new Candidates(group, {
      tally: new Tally(this.#view, staying, rules.spread),
      reserved: (node) => reservedWith(this.#context, node),
    })
    return this.#candidates
  }

  /** Nothing that is placed later makes room, so that the text stays true for the whole batch. */
  #explain(): string {
    this.#hasRefused = true
    this.#refusal ??= explainNoFit(this.#view, allFilters(this.#context))
    return this.#refusal
  }
}
