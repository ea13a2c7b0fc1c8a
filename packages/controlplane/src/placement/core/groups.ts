import type { Node, Placement } from '@bulkhead/shared'

import type { Filter } from './filters/filter.ts'
import { fits } from './filters/pipeline.ts'
import { domainOf } from './labels.ts'
import { isKnownDomain, joinDomain } from './scores.ts'

/**
 * Nodes by preference, below that by domain, level by level: everything about the order of nodes that depends on the
 * nodes alone, and not on what runs where.
 */
export interface Group {
  readonly kind: 'all' | 'preference' | 'domain'
  /** The domains from the top down to this one; empty above them. */
  readonly path: string
  /** Whether the last domain of the path is known. */
  readonly isKnown: boolean
  /** The place of a preference among its siblings: smaller is better. */
  readonly rank: number
  readonly groups: readonly Group[]
  /** Of the lowest groups only. */
  readonly nodes: readonly Node[]
}

interface Growing extends Group {
  readonly groups: Growing[]
  readonly nodes: Node[]
  readonly below: Map<string | number | undefined, Growing>
}

export interface Grouping {
  readonly rules: Placement
  /** What the nodes have to pass: must depend on `rules` and the nodes alone. */
  readonly filters: readonly Filter[]
  readonly prefer: (node: Node) => number
}

/** Groups are kept for so many different rules of one list of nodes. */
const rulesKept = 32

const kept = new WeakMap<readonly Node[], Map<string, Group>>()

/**
 * The nodes that pass the filters, in groups. Made once for each list and each set of rules: lists and records of
 * nodes never change, and the services of a zone ask for the same thousands of nodes again and again.
 */
export function groupNodes(nodes: readonly Node[], grouping: Grouping): Group {
  const { require, prefer, spread } = grouping.rules
  const key = JSON.stringify([require, prefer, spread])
  let known = kept.get(nodes)
  if (known === undefined) {
    known = new Map()
    kept.set(nodes, known)
  }
  const found = known.get(key)
  if (found !== undefined) return found
  const made = group(nodes, grouping)
  const [oldest] = known.keys()
  if (oldest !== undefined && known.size >= rulesKept) known.delete(oldest)
  known.set(key, made)
  return made
}

function group(nodes: readonly Node[], { rules, filters, prefer }: Grouping): Group {
  const all = growing('all', '', 0)
  for (const node of nodes) {
    if (!fits(filters, node)) continue
    const weight = prefer(node)
    let at = below(all, weight, () => growing('preference', '', -weight))
    for (const level of rules.spread) {
      const domain = domainOf(node, level)
      const path = joinDomain(at.path, domain)
      at = below(at, domain, () => growing('domain', path, 0))
    }
    at.nodes.push(node)
  }
  return all
}

const growing = (kind: Group['kind'], path: string, rank: number): Growing => ({
  kind,
  path,
  isKnown: kind === 'domain' && isKnownDomain(path),
  rank,
  groups: [],
  nodes: [],
  below: new Map(),
})

function below(parent: Growing, key: string | number | undefined, make: () => Growing): Growing {
  let child = parent.below.get(key)
  if (child === undefined) {
    child = make()
    parent.below.set(key, child)
    parent.groups.push(child)
  }
  return child
}
