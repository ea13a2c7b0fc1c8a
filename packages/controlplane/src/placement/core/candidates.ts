import type { Node } from '@bulkhead/shared'

import { Heap, type HeapItem } from './heap.ts'
import { domainOf } from './labels.ts'
import { joinDomain, spreadPath, type Tally } from './scores.ts'

/** A node that fits, as far as is known. */
export interface Candidate extends HeapItem {
  readonly kind: 'candidate'
  readonly node: Node
  readonly parent: Branch
  instances: number
  reserved: number
}

/** Candidates with equal preference, and below that of one domain: one level of the tree each. */
interface Branch extends HeapItem {
  readonly kind: 'branch'
  readonly parent: Branch | null
  /** The domains from the top down to this one. */
  readonly path: string
  /** While the tree is built: branches below by their domain, and everything below in no order. */
  readonly domains: Map<string | number | undefined, Branch>
  readonly unordered: (Branch | Candidate)[]
  /** Its place among its siblings: smaller is better. */
  rank: number
  readonly counts: boolean
  readonly children: Heap<Branch | Candidate>
}

function compare(a: Branch | Candidate, b: Branch | Candidate): number {
  if (a.kind === 'candidate' || b.kind === 'candidate') {
    return a.kind === 'candidate' && b.kind === 'candidate' ? compareLeaves(a, b) : 0
  }
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1
  const [first, second] = [a.children.top, b.children.top]
  return first && second ? compare(first, second) : 0
}

function compareLeaves(a: Candidate, b: Candidate): number {
  if (a.instances !== b.instances) return a.instances - b.instances
  if (a.reserved !== b.reserved) return a.reserved < b.reserved ? -1 : 1
  if (a.node.name === b.node.name) return 0
  return a.node.name < b.node.name ? -1 : 1
}

const branch = (parent: Branch | null, path: string, rank: number, counts: boolean): Branch => ({
  kind: 'branch',
  parent,
  path,
  domains: new Map(),
  unordered: [],
  rank,
  counts,
  position: -1,
  children: new Heap<Branch | Candidate>(compare),
})

export interface CandidateSource {
  readonly levels: readonly string[]
  readonly tally: Tally
  readonly prefer: (node: Node) => number
  readonly reserved: (node: Node) => number
}

/**
 * The nodes that fit, best first, in a tree of heaps: by preference, then by one level for each
 * level of `spread`, then nodes. Taking one changes only the path to it, so that each placement
 * costs the logarithm of the number of nodes.
 */
export class Candidates {
  readonly #root = branch(null, '', 0, false)
  readonly #levels: readonly string[]
  /** Every branch of a domain: one for each preference that has nodes in it. */
  readonly #domains = new Map<string, Branch[]>()

  constructor(nodes: readonly Node[], source: CandidateSource) {
    this.#levels = source.levels
    for (const node of nodes) {
      let parent = preferenceBelow(this.#root, source.prefer(node))
      for (const level of source.levels) {
        parent = this.#domainBelow(parent, domainOf(node, level), source.tally)
      }
      parent.unordered.push({
        kind: 'candidate',
        node,
        parent,
        instances: source.tally.onNode(node.name),
        reserved: source.reserved(node),
        position: -1,
      })
    }
    fill(this.#root)
  }

  get best(): Candidate | undefined {
    let item: Branch | Candidate | undefined = this.#root
    while (item?.kind === 'branch') item = item.children.top
    return item
  }

  remove(candidate: Candidate): void {
    let item: Branch | Candidate = candidate
    for (let parent: Branch | null = candidate.parent; parent; parent = parent.parent) {
      if (item === candidate || (item.kind === 'branch' && item.children.size === 0)) {
        parent.children.remove(item)
      } else {
        parent.children.update(item)
      }
      item = parent
    }
  }

  /** Puts a removed candidate back. */
  restore(candidate: Candidate): void {
    let item: Branch | Candidate = candidate
    for (let parent: Branch | null = candidate.parent; parent; parent = parent.parent) {
      if (item.position < 0) parent.children.push(item)
      else parent.children.update(item)
      item = parent
    }
  }

  /**
   * Notes one more instance on the candidate's node and in its domains, whatever the preference
   * there.
   */
  take(candidate: Candidate, reserved: number): void {
    candidate.instances += 1
    candidate.reserved = reserved
    candidate.parent.children.update(candidate)
    for (const path of spreadPath(candidate.node, this.#levels).toReversed()) {
      for (const domain of this.#domains.get(path) ?? []) {
        if (domain.counts) domain.rank += 1
        if (domain.position >= 0) domain.parent?.children.update(domain)
      }
    }
  }

  #domainBelow(parent: Branch, domain: string | undefined, tally: Tally): Branch {
    const found = parent.domains.get(domain)
    if (found) return found
    const path = joinDomain(parent.path, domain)
    const child = branch(parent, path, tally.inDomain(path), domain !== undefined)
    const alike = this.#domains.get(path)
    if (alike) alike.push(child)
    else this.#domains.set(path, [child])
    return add(parent, domain, child)
  }
}

function preferenceBelow(parent: Branch, prefer: number): Branch {
  return parent.domains.get(prefer) ?? add(parent, prefer, branch(parent, '', -prefer, false))
}

function add(parent: Branch, key: string | number | undefined, child: Branch): Branch {
  parent.domains.set(key, child)
  parent.unordered.push(child)
  return child
}

/** Bottom up, since a branch is ordered by the best below it. */
function fill(parent: Branch): void {
  for (const item of parent.unordered) if (item.kind === 'branch') fill(item)
  parent.children.fill(parent.unordered)
}
