import type { ServiceView } from '@bulkhead/shared'
import { BulkheadError, type Client, servicePath } from '@bulkhead/shared/client'

import { meant } from '../errors/nearest.ts'
import { listed } from '../output/text.ts'
import type { Connection } from '../toolkit.ts'
import { checkName } from './check-name.ts'

export interface ServiceName {
  readonly environment: string
  readonly name: string
}

const shownLimit = 5

/** As people write it, and as every command takes it. */
export const shownService = ({ environment, name }: ServiceName): string => `${name}.${environment}`

const isNotFound = (error: unknown): boolean =>
  error instanceof BulkheadError && error.code === 'not-found'

/** `NAME.ENV` says it all, and so does `-e`. */
function complete(given: string, environment: string | undefined): ServiceName | null {
  const dot = given.indexOf('.')
  checkName('service', dot < 0 ? given : given.slice(0, dot), given)
  if (dot < 0) return environment === undefined ? null : { environment, name: given }
  const named = { environment: given.slice(dot + 1), name: given.slice(0, dot) }
  checkName('environment', named.environment, `of ${given}`)
  if (environment === undefined || environment === named.environment) return named
  throw new BulkheadError(
    'bad-usage',
    `${given}: -e ${environment} contradicts it`,
    'leave one of the two out',
  )
}

async function serviceAt(client: Client, at: ServiceName, signal: AbortSignal) {
  return client.request<ServiceView>('GET', servicePath(at.environment, at.name), { signal })
}

/** Looks in all environments for a name that the preferred one lacks. */
async function search(client: Client, name: string, signal: AbortSignal): Promise<ServiceName> {
  const { items } = await client.list('services', {}, signal)
  const found = items.filter((service) => service.name === name)
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  if (only === undefined) {
    const names = [...new Set(items.map((service) => service.name))]
    const advice = meant(name, names, 'see bulkhead get services')
    throw new BulkheadError(
      'not-found',
      `service ${name}: there is none in any environment`,
      advice,
    )
  }
  const candidates = listed(found.map((service) => shownService(service)).toSorted(), shownLimit)
  const message = `service ${name}: it is in several environments: ${candidates}`
  throw new BulkheadError('bad-usage', message, `write one of these, or -e ENV`)
}

/**
 * Finds the service that is meant: in the environment that is named, else in that of the context (`default`
 * when it has none), else in the only one that has it.
 */
export async function findService(
  { client, context }: Connection,
  given: string,
  environment: string | undefined,
  signal: AbortSignal,
): Promise<ServiceView> {
  const exact = complete(given, environment)
  if (exact !== null) return serviceAt(client, exact, signal)
  const preferred = { environment: context.environment ?? 'default', name: given }
  try {
    return await serviceAt(client, preferred, signal)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return serviceAt(client, await search(client, given, signal), signal)
}

/** As findService, or null when there is none. */
export async function findServiceOrNull(
  ...given: Parameters<typeof findService>
): Promise<ServiceView | null> {
  try {
    return await findService(...given)
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}
