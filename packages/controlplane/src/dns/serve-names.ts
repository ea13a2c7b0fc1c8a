import { BulkheadError, serviceKey } from '@bulkhead/shared'
import { type DnsHandler, listenDns, respond, type VisibleNames } from '@bulkhead/shared/dns'

import type { Tables } from '../discovery/tables.ts'
import type { Logger } from '../logger.ts'
import type { State } from '../state/state.ts'

export interface NamesDeps {
  readonly state: State
  readonly tables: Tables
  readonly logger: Logger
}

/** Everything that the control plane knows of: whoever may send it a datagram may know it. */
function allNames({ state: { view }, tables }: Pick<NamesDeps, 'state' | 'tables'>): VisibleNames {
  return {
    get revision() {
      return view.revision
    },
    // Addresses of services lead somewhere on nodes only.
    addresses: null,
    hasEnvironment: (environment) => {
      for (const key of view.services.keys()) if (key.startsWith(`${environment}/`)) return true
      return false
    },
    find: (environment, service) => tables.get(serviceKey(environment, service)) ?? null,
  }
}

/** Serves DNS for those who are on no node. Throws BulkheadError when the address cannot be bound. */
export async function serveNames(
  deps: NamesDeps,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AsyncDisposable & { readonly port: number }> {
  const { state, logger } = deps
  const by = { names: allNames(deps), forwards: false }
  const handler: DnsHandler = async ({ message, transport }) => {
    const outcome = await state
      .read(() => respond(message, transport, by))
      .catch((error: unknown) => logger.error({ err: error }, 'a name could not be looked up'))
    return outcome?.kind === 'answer' ? outcome.message : null
  }
  try {
    const server = await listenDns(host, port, handler)
    logger.info({ host, port: server.port }, 'names are served')
    return { port: server.port, [Symbol.asyncDispose]: () => server.close() }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'the address is already in use' : message
    throw new BulkheadError(
      'bad-usage',
      `cannot serve DNS on ${host}:${port}: ${why}`,
      'choose another address for dns.listen',
    )
  }
}
