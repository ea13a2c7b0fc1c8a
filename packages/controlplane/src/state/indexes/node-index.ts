import type { Node } from '@bulkhead/shared'

import { byText, SortedLists } from '../sorted-list.ts'

const byName = (a: Node, b: Node): number => byText(a.name, b.name)
/** Stands for every environment; not a name that an environment can have. */
const everywhere = '*'

interface ZoneEntry {
  readonly members: SortedLists<Node>
  /** Answers per environment until a node of the zone changes; only for environments that nodes name. */
  readonly answers: Map<string, readonly Node[]>
}

/** Nodes by zone and environment; a node that names no environment belongs to every one. */
export class NodeIndex {
  readonly #zones = new Map<string, ZoneEntry>()

  nodesIn(environment: string, zone: string): readonly Node[] {
    const entry = this.#zones.get(zone)
    if (entry === undefined) return []
    const shared = entry.members.read(everywhere)
    const own = entry.members.read(environment)
    if (own.length === 0) return shared
    if (shared.length === 0) return own
    let answer = entry.answers.get(environment)
    if (answer === undefined) {
      answer = [...shared, ...own].toSorted(byName)
      entry.answers.set(environment, answer)
    }
    return answer
  }

  add(node: Node): void {
    for (const zone of new Set(node.facts.zones)) {
      let entry = this.#zones.get(zone)
      if (entry === undefined) {
        entry = { members: new SortedLists(byName), answers: new Map() }
        this.#zones.set(zone, entry)
      }
      entry.answers.clear()
      for (const environment of environmentsOf(node)) entry.members.put(environment, node)
    }
  }

  remove(node: Node): void {
    for (const zone of new Set(node.facts.zones)) {
      const entry = this.#zones.get(zone)
      entry?.answers.clear()
      for (const environment of environmentsOf(node)) entry?.members.remove(environment, node)
    }
  }
}

const environmentsOf = (node: Node): ReadonlySet<string> =>
  new Set(node.facts.environments.length === 0 ? [everywhere] : node.facts.environments)
