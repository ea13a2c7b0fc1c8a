import { type AskedBy, type DnsHandler, type Forwarder, makeResponder } from '@bulkhead/shared/dns'

import { mayForward, visibleNames } from '../core/visible-names.ts'
import { bridgeOf, hasIpv6 } from './core/bridge-of.ts'
import { emptyDirectory, type NameState } from './core/name-state.ts'

export interface NameHandlerDeps {
  readonly state: () => NameState
  readonly forwarder: Forwarder | null
  /** Somebody was left without an answer. */
  readonly onError: (error: unknown) => void
}

/** Answers containers by DNS. */
export function nameHandler({ state, forwarder, onError }: NameHandlerDeps): DnsHandler {
  const asker = (from: string): AskedBy => {
    const { bridges, directory, forwarding } = state()
    const bridge = bridgeOf(from, bridges)
    if (bridge === null) return { names: null, forwards: false }
    const { environment, zone } = bridge
    const known = directory ?? emptyDirectory
    const { addresses } = known
    const reachable = addresses && !hasIpv6(bridge) ? { ...addresses, services6: null } : addresses
    return {
      names: visibleNames({ environment, zone }, known, reachable),
      forwards: forwarder !== null && mayForward(forwarding, zone),
    }
  }
  return makeResponder({ asker, forwarder, onError })
}
