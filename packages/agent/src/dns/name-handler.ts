import {
  type AskedBy,
  type DnsHandler,
  type Forwarder,
  KeptAnswers,
  makeResponder,
} from '@bulkhead/shared/dns'

import { mayForward, visibleNames } from '../core/visible-names.ts'
import { bridgeOf, hasIpv6 } from './core/bridge-of.ts'
import { emptyDirectory, type NameBridge, type NameState } from './core/name-state.ts'

export interface NameHandlerDeps {
  readonly state: () => NameState
  readonly forwarder: Forwarder | null
  /** Somebody was left without an answer. */
  readonly onError: (error: unknown) => void
}

/** So many addresses of askers are remembered: more than a node has containers. */
const maxAskers = 4096

/** Answers containers by DNS. */
export function nameHandler({ state, forwarder, onError }: NameHandlerDeps): DnsHandler {
  let known = state()
  const onBridge = new Map<NameBridge | null, AskedBy>()
  const askers = new Map<string, AskedBy>()
  const asker = (from: string): AskedBy => {
    const current = state()
    if (current !== known || askers.size >= maxAskers) {
      known = current
      onBridge.clear()
      askers.clear()
    }
    let by = askers.get(from)
    if (by === undefined) {
      const bridge = bridgeOf(from, known.bridges)
      by = onBridge.get(bridge) ?? askedFrom(bridge, known, forwarder !== null)
      onBridge.set(bridge, by)
      askers.set(from, by)
    }
    return by
  }
  return makeResponder({ asker, forwarder, onError })
}

/** Who is on the bridge, and what it may know; null: nobody that is known. */
function askedFrom(bridge: NameBridge | null, state: NameState, forwards: boolean): AskedBy {
  if (bridge === null) return { names: null, forwards: false, kept: null }
  const { environment, zone } = bridge
  const directory = state.directory ?? emptyDirectory
  const { addresses } = directory
  const reachable = addresses && !hasIpv6(bridge) ? { ...addresses, services6: null } : addresses
  return {
    names: visibleNames({ environment, zone }, directory, reachable),
    forwards: forwards && mayForward(state.forwarding, zone),
    kept: new KeptAnswers(),
  }
}
