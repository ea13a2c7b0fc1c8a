import { nodeLabels, type Node } from '@bulkhead/shared'

function wellKnown({ name, facts }: Node, level: string): string | undefined {
  switch (level) {
    case 'node':
      return name
    case 'host':
      return facts.domain.host
    case 'rack':
      return facts.domain.rack ?? undefined
    case 'site':
      return facts.domain.site ?? undefined
    case 'provider':
      return facts.domain.provider ?? undefined
    case 'os':
      return facts.engine?.os
    case 'arch':
      return facts.engine?.architecture
    default:
      return undefined
  }
}

const own = (labels: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined

/**
 * Which domain of a level (node, host, rack, site, provider or any label key) the node belongs to:
 * the same as its label, without building all of them. What the node is wins over what it is called: no label
 * makes two machines of one. Undefined: not known.
 */
export function domainOf(node: Node, level: string): string | undefined {
  return wellKnown(node, level) ?? own(node.labels, level) ?? own(node.facts.labels, level)
}

const known = new WeakMap<Node, Readonly<Record<string, string>>>()

/**
 * `nodeLabels`, computed once per record: records never change, and selectors ask for thousands of
 * nodes.
 */
export function labelsOf(node: Node): Readonly<Record<string, string>> {
  let labels = known.get(node)
  if (labels === undefined) {
    labels = nodeLabels(node)
    known.set(node, labels)
  }
  return labels
}
