import { type DnsHandler, type Forwarder, makeResponder } from '@bulkhead/shared/dns'
import type { Logger } from 'pino'

import type { FindAsker } from '../askers.ts'
import { type Forwarding, mayForward, visibleNames } from '../core/visible-names.ts'
import type { TrafficKeeper } from '../traffic/keeper.ts'

export interface NameHandlerDeps {
  readonly directory: Pick<TrafficKeeper, 'tables' | 'reaches' | 'revision' | 'policy'>
  readonly findAsker: FindAsker
  /** Whether connections to the addresses of services are passed on here. */
  readonly servesAddresses: () => boolean
  readonly forwarder: Forwarder | null
  readonly forwarding: Forwarding
  readonly logger: Logger
}

/** Answers containers by DNS, from the last good tables. */
export function nameHandler(deps: NameHandlerDeps): DnsHandler {
  const { directory, findAsker, servesAddresses, forwarder, forwarding, logger } = deps
  return makeResponder({
    asker: async (from) => {
      const asker = await findAsker(from)
      if (asker === null) return { names: null, forwards: false }
      const { policy } = directory
      const addresses = servesAddresses() ? policy : null
      return {
        names: visibleNames(asker, directory, addresses),
        forwards: forwarder !== null && mayForward(forwarding, asker.zone),
      }
    },
    forwarder,
    onError: (error) => logger.error({ err: error }, 'a name could not be looked up'),
  })
}
