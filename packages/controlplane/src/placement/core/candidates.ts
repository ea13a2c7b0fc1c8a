import type { Node } from '@bulkhead/shared'

import type { Group } from './groups.ts'
import { Heap, type HeapItem } from './heap.ts'
import type { Tally } from './scores.ts'

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
  readonly group: Group
  readonly parent: Branch | null
  /** All branches of the same domain, this one too: one for each preference that has nodes in it. */
  readonly alike: Branch[]
  /** Its place among its siblings: smaller is better. */
  rank: number
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

export interface CandidateSource {
  readonly tally: Tally
  readonly reserved: (node: Node) => number
}

/**
 * The nodes that fit, best first, in a tree of heaps: by preference, then by one level for each
 * level of `spread`, then nodes. Taking one changes only the path to it, so that each placement
 * costs the logarithm of the number of nodes.
 */
export class Candidates {
  readonly #source: CandidateSource
  readonly #root: Branch
  readonly #domains = new Map<string, Branch[]>()

  constructor(group: Group, source: CandidateSource) {
    this.#source = source
    this.#root = this.#grow(group, null)
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
    let branch: Branch | null = candidate.parent
    for (; branch?.group.kind === 'domain'; branch = branch.parent) {
      for (const domain of branch.alike) {
        if (domain.group.isKnown) domain.rank += 1
        if (domain.position >= 0) domain.parent?.children.update(domain)
      }
    }
  }

  /** Bottom up, since a branch is ordered by the best below it. */
  #grow(group: Group, parent: Branch | null): Branch {
    const { kind, path, rank } = group
    const { tally, reserved } = this.#source
    const branch: Branch = {
      kind: 'branch',
      group,
      parent,
      alike: kind === 'domain' ? this.#alike(path) : [],
      rank: kind === 'domain' ? tally.inDomain(path) : rank,
      position: -1,
      children: new Heap<Branch | Candidate>(compare),
    }
    branch.alike.push(branch)
    const items: (Branch | Candidate)[] = group.groups.map((below) => this.#grow(below, branch))
    for (const node of group.nodes) {
      items.push({
        kind: 'candidate',
        node,
        parent: branch,
        instances: tally.onNode(node.name),
        reserved: reserved(node),
        position: -1,
      })
    }
    branch.children.fill(items)
    return branch
  }

  #alike(path: string): Branch[] {
    let alike = this.#domains.get(path)
    if (alike === undefined) {
      alike = []
      this.#domains.set(path, alike)
    }
    return alike
  }
}
