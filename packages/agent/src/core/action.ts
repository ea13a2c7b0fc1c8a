import type { Observed } from '@bulkhead/shared'

import type { Link } from './lineage.ts'

/** One thing to do for a lineage. `instance` is its current link at the time of planning. */
export type Action =
  /** Take note of this and report it. */
  | {
      readonly kind: 'observe'
      readonly instance: string
      readonly observed: Observed
      /** Set when the agent begins to end an instance that is wanted. */
      readonly ending?: string
    }
  /** The current link has failed after it ran: go on in its slot. */
  | {
      readonly kind: 'succeed'
      readonly instance: string
      readonly observed: Observed
      readonly successor: Link
    }
  /** The lineage is unwanted and gone: drop what is kept of it. */
  | { readonly kind: 'forget'; readonly instance: string }
  | { readonly kind: 'pull'; readonly instance: string }
  | { readonly kind: 'create'; readonly instance: string }
  | { readonly kind: 'start'; readonly instance: string; readonly containerId: string }
  | {
      readonly kind: 'signal'
      readonly instance: string
      readonly containerId: string
      readonly signal: string
    }
  | { readonly kind: 'kill'; readonly instance: string; readonly containerId: string }
  | { readonly kind: 'remove'; readonly instance: string; readonly containerId: string }
  /** Create the container of the successor ahead of need. */
  | { readonly kind: 'prepare'; readonly instance: string; readonly successor: string }
  /** Remove a container that serves nothing; beside everything else. */
  | { readonly kind: 'discard'; readonly containerId: string; readonly reason: string }
