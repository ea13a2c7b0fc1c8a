import type { Node, Placement, Revision, ServiceKey } from '@bulkhead/shared'

import type { ClusterView } from '../../../state/view.ts'
import type { Books } from '../books.ts'
import type { PortRange } from '../ports.ts'

/** Why a node is refused: a predicate that continues its name, for one node and for several. */
export interface Refusal {
  readonly one: string
  /** Nodes with equal texts here are told as one group: no amounts that change all the time. */
  readonly many: string
  /** As `one`, with what this very node has. */
  readonly detail?: string
}

/**
 * A hard rule. After the model of swarmkit's scheduler filters, each can explain itself; `explain`
 * is asked only about nodes that `check` has refused.
 */
export interface Filter {
  check(node: Node): boolean
  explain(node: Node): Refusal
}

/** What filters look at: one revision of one service that is to be placed. */
export interface FilterContext {
  readonly view: ClusterView
  readonly service: ServiceKey
  readonly revision: Revision
  readonly rules: Placement
  readonly books: Books
  readonly portRange: PortRange
}
