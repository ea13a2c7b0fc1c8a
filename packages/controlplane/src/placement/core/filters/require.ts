import { matchesSelector, parseSelector, unmetRequirements, type Node } from '@bulkhead/shared'

import { labelsOf } from '../labels.ts'
import type { Filter, FilterContext } from './filter.ts'

/** `placement.require`: all selectors must hold for the node's labels. */
export function requireFilter({ rules }: Pick<FilterContext, 'rules'>): Filter {
  const selectors = rules.require.map((text) => ({ text, parsed: parseSelector(text) }))
  const holds = ({ parsed }: (typeof selectors)[number], node: Node): boolean =>
    parsed.ok && matchesSelector(parsed.selector, labelsOf(node))
  return {
    check: (node) => selectors.every((selector) => holds(selector, node)),
    explain(node) {
      const unmet = selectors.filter((selector) => !holds(selector, node))
      const texts = unmet.map(({ text }) => text).join(' and ')
      const details = unmet.flatMap(({ parsed }) =>
        parsed.ok ? unmetRequirements(parsed.selector, labelsOf(node)) : [parsed.message],
      )
      const one = `lacks ${texts}`
      return { one, many: `lack ${texts}`, detail: `${one}: ${details.join('; ')}` }
    },
  }
}
