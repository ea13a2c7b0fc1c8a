import { matchesSelector, parseSelector, type Instance, type Node } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import type { FilterContext } from './filters/filter.ts'
import { domainOf, labelsOf } from './labels.ts'

/** How well a node suits, in the order in which it counts. */
export interface Score {
  /** Sum of the weights of `prefer` that match: more is better. */
  readonly prefer: number
  /**
   * Instances of the service in the node's domain, level by level; infinite where the level is not
   * known.
   */
  readonly spread: readonly number[]
  /** Instances of the service on the node. */
  readonly instances: number
  /** The larger part of cpu and memory that would be reserved with the new instance: 1 is full. */
  readonly reserved: number
  readonly name: string
}

const byNumber = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1)

/** Negative when `a` is to be taken before `b`. */
export function compareScores(a: Score, b: Score): number {
  if (a.prefer !== b.prefer) return byNumber(b.prefer, a.prefer)
  for (const [level, count] of a.spread.entries()) {
    const other = b.spread[level] ?? 0
    if (count !== other) return byNumber(count, other)
  }
  return (
    byNumber(a.instances, b.instances) ||
    byNumber(a.reserved, b.reserved) ||
    (a.name < b.name ? -1 : 1)
  )
}

/** `placement.prefer` as a function of the node. */
export function preferenceOf({ rules }: Pick<FilterContext, 'rules'>): (node: Node) => number {
  const terms = rules.prefer.flatMap(({ match, weight }) => {
    const parsed = parseSelector(match)
    return parsed.ok ? [{ selector: parsed.selector, weight }] : []
  })
  return (node) => {
    let sum = 0
    for (const { selector, weight } of terms) {
      if (matchesSelector(selector, labelsOf(node))) sum += weight
    }
    return sum
  }
}

/** The part of the node that would be reserved with one more instance of the revision. */
export function reservedWith({ revision, books }: FilterContext, { name, facts }: Node): number {
  const { cpuMillis, memoryBytes } = revision.template.resources
  const { capacity } = facts
  const reserved = books.reservedOn(name)
  return Math.max(
    (reserved.cpuMillis + cpuMillis) / Math.max(capacity.cpuMillis, 1),
    (reserved.memoryBytes + memoryBytes) / Math.max(capacity.memoryBytes, 1),
  )
}

/**
 * Domain path of the node: rack r1 of provider p1 is another domain than rack r1 of provider p2.
 */
export function spreadPath(node: Node, levels: readonly string[]): readonly string[] {
  let path = ''
  return levels.map((level) => {
    path = joinDomain(path, domainOf(node, level))
    return path
  })
}

export const joinDomain = (path: string, domain: string | undefined): string =>
  domain === undefined ? `${path}\u0000` : `${path}\u0001${domain}`

/** Whether the last domain of a path is known. */
export const isKnownDomain = (path: string): boolean => !path.endsWith('\u0000')

/** How many instances of the service are where. */
export class Tally {
  readonly #levels: readonly string[]
  readonly #perNode = new Map<string, number>()
  readonly #perDomain = new Map<string, number>()

  /** `staying` are the instances that will still be there when those that are replaced are gone. */
  constructor(view: ClusterView, staying: readonly Instance[], levels: readonly string[]) {
    this.#levels = levels
    for (const instance of staying) {
      const node = instance.node === null ? undefined : view.nodes.get(instance.node)
      if (node) this.add(node)
    }
  }

  add(node: Node): void {
    this.#perNode.set(node.name, this.onNode(node.name) + 1)
    for (const path of spreadPath(node, this.#levels)) {
      this.#perDomain.set(path, (this.#perDomain.get(path) ?? 0) + 1)
    }
  }

  onNode(name: string): number {
    return this.#perNode.get(name) ?? 0
  }

  /** Count in the domain; infinite when the path's last level is not known there. */
  inDomain(path: string): number {
    return isKnownDomain(path) ? (this.#perDomain.get(path) ?? 0) : Number.POSITIVE_INFINITY
  }
}

/** All of a node's score at once: for explanations; batches keep the parts. */
export function scoreOf(
  context: FilterContext,
  tally: Tally,
  prefer: (node: Node) => number,
  node: Node,
): Score {
  return {
    prefer: prefer(node),
    spread: spreadPath(node, context.rules.spread).map((path) => tally.inDomain(path)),
    instances: tally.onNode(node.name),
    reserved: reservedWith(context, node),
    name: node.name,
  }
}
