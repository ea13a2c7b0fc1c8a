import type { Instance } from '@bulkhead/shared'

import { isMoveForBalance } from '../../../packages/controlplane/src/reconcile/core/rebalance.ts'
import type { MakeInvariant } from './invariant.ts'

/** What could not be started on a node is not moved there again for twice as long. */
const againMs = 30_000

const placeOf = ({ service, node }: Instance): string => `${service} on ${node}`

/** Moves for balance go on a few at a time, and not to a node that has just shown that it cannot start them. */
export const balance: MakeInvariant = (world) => {
  /** Services with a move under way, as this process of the control plane has begun them. */
  const moving = new Set<string>()
  /** By service and node, what could last not be started, and when by the control plane's own clock. */
  const refused = new Map<string, { readonly atMs: number; readonly revision: number }>()
  const { maxAtOnce } = world.config.rebalance
  const forget = (serviceOrNode: string): void => {
    for (const place of refused.keys()) {
      if (place.split(' on ').includes(serviceOrNode)) refused.delete(place)
    }
  }
  return {
    name: 'balance',
    onBoot() {
      moving.clear()
    },
    onCommit({ changes }) {
      const nowMs = world.controlHost.nowMs()
      for (const change of changes) {
        if (change.kind === 'service' && change.after?.status !== 'progressing')
          moving.delete(change.key)
        // What is set up anew has shown nothing yet.
        if ((change.kind === 'service' || change.kind === 'node') && !change.after) {
          forget(change.key)
        }
      }
      for (const change of changes) {
        if (change.kind !== 'instance' || !change.after) continue
        const { before, after } = change
        // What has run there since can be started there.
        if (after.observed.state === 'running') refused.delete(placeOf(after))
        if (
          after.observed.state === 'failed' &&
          after.observed.neverStarted &&
          before?.observed.state !== 'failed'
        ) {
          refused.set(placeOf(after), { atMs: nowMs, revision: after.revision })
        }
        if (before || !isMoveForBalance(after.cause) || after.predecessor !== null) continue
        const last = refused.get(placeOf(after))
        const sinceMs = last?.revision === after.revision ? nowMs - last.atMs : Infinity
        if (sinceMs >= 0 && sinceMs < againMs) {
          world.fail(
            'balance',
            `${after.id} is ${after.cause}, where it could not be started ${Math.round(sinceMs)} ms ago`,
          )
        }
        world.count('balance')
        moving.add(after.service)
        if (moving.size > maxAtOnce) {
          world.fail(
            'balance',
            `${[...moving].join(', ')} are moved for balance at once, and ${maxAtOnce} may be`,
          )
        }
      }
    },
  }
}
