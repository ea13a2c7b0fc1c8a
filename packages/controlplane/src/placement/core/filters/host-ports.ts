import type { Node } from '@bulkhead/shared'

import { allocatePorts, portKey } from '../ports.ts'
import type { Filter, FilterContext } from './filter.ts'

/**
 * Fixed host ports must be free on the node, and the range must have enough left for the others.
 */
export function hostPortsFilter({ revision, books, portRange }: FilterContext): Filter {
  const ports = Object.values(revision.template.ports)
  const fixed = ports.flatMap(({ protocol, host }) =>
    host === null ? [] : [portKey(protocol, host)],
  )
  const dynamic = ports.length - fixed.length
  const size = portRange.last - portRange.first + 1
  const takenOn = (node: Node): string[] => {
    const taken = books.portsOn(node.name)
    return fixed.filter((key) => taken.has(key))
  }
  return {
    check(node) {
      if (ports.length === 0) return true
      const taken = books.portsOn(node.name)
      if (fixed.some((key) => taken.has(key))) return false
      if (dynamic === 0 || taken.size + ports.length <= size) return true
      return allocatePorts(revision.template.ports, taken, portRange, '') !== null
    },
    explain(node) {
      const taken = takenOn(node)
      const text =
        taken.length > 0
          ? `host port ${taken.join(' and ')} taken`
          : `no free host port in ${portRange.first}-${portRange.last}`
      return { one: `has ${text}`, many: `have ${text}` }
    },
  }
}
