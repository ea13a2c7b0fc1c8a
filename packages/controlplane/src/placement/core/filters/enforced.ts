import type { Filter } from './filter.ts'

/** Zones are facts only where the kernel holds them; the cluster's configuration may do without. */
export const enforcedFilter: Filter = {
  check: ({ facts, mayBeUnenforced }) => facts.network.enforced || mayBeUnenforced === true,
  explain({ facts }) {
    const one = 'does not hold zones in its kernel'
    const why = facts.network.enforcedReason
    const advice = 'zones: { unenforced: allow } in the configuration of the control plane would accept it'
    return { one, many: 'do not hold zones in their kernel', detail: `${one} (${why}); ${advice}` }
  },
}
