import type { Node } from '@bulkhead/shared'

import { domainOf } from '../labels.ts'
import { describeOther, separationsOf, type Separation } from '../separation.ts'
import type { Filter, FilterContext, Refusal } from './filter.ts'

/**
 * `placement.separate`, both ways. What counts is that a container of the other service may exist,
 * whatever is wanted of it. A node that does not know the level cannot prove separation, nor can
 * anybody prove it from another service's instance on such a node. One of the service itself breaks
 * the rule where it is and is to move: it must not keep the others from obeying. What another
 * service says binds this one only while there is something of the other to keep apart from.
 */
export function separateFilter(context: FilterContext): Filter {
  const { books } = context
  // The books keep what they hand out up to date, so that each is asked for once.
  const separations = separationsOf(context).map((separation) => ({
    ...separation,
    occupants: books.occupants(separation.other, separation.by),
    strict: separation.other !== context.service,
  }))
  const breaks = (separation: (typeof separations)[number], node: Node): boolean => {
    const { by, own, occupants, strict } = separation
    const domain = domainOf(node, by)
    if (domain === undefined) return own || occupants.counts.size > 0 || occupants.stray !== null
    return occupants.counts.has(domain) || (strict && occupants.stray !== null)
  }
  return {
    check(node) {
      for (const separation of separations) if (breaks(separation, node)) return false
      return true
    },
    explain(node) {
      const broken = separations.find((separation) => breaks(separation, node))
      if (broken === undefined) return { one: 'keeps apart', many: 'keep apart' }
      return describe(broken, node, context)
    },
  }
}

function describe({ other, by }: Separation, node: Node, context: FilterContext): Refusal {
  const whom = describeOther(other, context.service)
  const domain = domainOf(node, by)
  if (domain === undefined) {
    const text = `no label ${by}, which keeping apart from ${whom} needs`
    return { one: `has ${text}`, many: `have ${text}` }
  }
  const { stray } = context.books.occupants(other, by)
  if (stray !== null && other !== context.service) {
    const text = `cannot be told apart from ${stray.id}: node ${stray.node ?? ''} has no label ${by}`
    return { one: text, many: text }
  }
  if (by === 'node') return { one: `already runs ${whom}`, many: `already run ${whom}` }
  return {
    one: `already runs ${whom} on ${by} ${domain}`,
    many: `already run ${whom} on the same ${by}`,
  }
}
