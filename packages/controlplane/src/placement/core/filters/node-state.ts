import { nodeState } from '@bulkhead/shared'

import type { Filter } from './filter.ts'

/** Only a node that is heard from, whose engine answers and that is open takes new instances. */
export const nodeStateFilter: Filter = {
  check: (node) => nodeState(node) === 'ready',
  explain(node) {
    const state = nodeState(node)
    const why = node.liveness === 'ready' || node.livenessReason === '' ? '' : node.livenessReason
    const one = `is ${state}`
    return { one, many: `are ${state}`, detail: why === '' ? one : `${one}: ${why}` }
  },
}
