import { counted, type Node } from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import type { Filter } from './filters/filter.ts'
import { refusalOf } from './filters/pipeline.ts'

const namesShown = 3
const groupsShown = 8

interface Group {
  readonly one: string
  readonly many: string
  readonly names: string[]
}

/** `n1, n2, n3 and 4 more` */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).join(', ')
  return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown
}

/**
 * Counts and names the nodes by what refuses them first: `2 of 5 are not in zone data (n1, n2); 1
 * is …`.
 */
export function explainRefusals(filters: readonly Filter[], nodes: Iterable<Node>): string {
  const groups = new Map<string, Group>()
  let total = 0
  for (const node of nodes) {
    total += 1
    const refusal = refusalOf(filters, node)
    if (refusal === null) continue
    const group = groups.get(refusal.many)
    if (group) group.names.push(node.name)
    else groups.set(refusal.many, { ...refusal, names: [node.name] })
  }
  const sorted = [...groups.values()]
    .map(({ one, many, names }) => ({ one, many, names: names.toSorted() }))
    .toSorted((a, b) => ((a.names[0] ?? '') < (b.names[0] ?? '') ? -1 : 1))
  const texts = sorted.map(({ one, many, names }, index) => {
    const count = index === 0 ? `${names.length} of ${total}` : `${names.length}`
    return `${count} ${names.length === 1 ? one : many} (${listNames(names)})`
  })
  const more =
    texts.length > groupsShown ? `; and ${counted(texts.length - groupsShown, 'more reason')}` : ''
  return texts.slice(0, groupsShown).join('; ') + more
}

/** Why no node of the cluster takes the instance. */
export function explainNoFit(view: ClusterView, filters: readonly Filter[]): string {
  if (view.nodes.size === 0) return 'no node fits: no node is registered'
  return `no node fits: ${explainRefusals(filters, view.nodes.values())}`
}
