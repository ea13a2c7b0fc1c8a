import type { ExternalServiceView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'

import { meant } from '../errors/nearest.ts'
import type { Connection } from '../toolkit.ts'

/** NAME or NAME.ENV; `environment`, or that of the context, decides where there are several. Throws BulkheadError. */
export async function findExternalService(
  { client, context }: Connection,
  given: string,
  environment: string | undefined,
  signal: AbortSignal,
): Promise<ExternalServiceView> {
  const { items } = await client.list('external-services', {}, signal)
  const [name = '', named] = given.split('.')
  const wanted = named ?? environment
  const found = items.filter((one) => one.name === name && (wanted ?? one.environment) === one.environment)
  const preferred = found.find((one) => one.environment === (context.environment ?? 'default'))
  const [only, ...others] = found
  if (preferred) return preferred
  if (only && others.length === 0) return only
  if (only) {
    const where = found.map((one) => `${one.name}.${one.environment}`).join(', ')
    const message = `external service ${given}: it is in several environments: ${where}`
    throw new BulkheadError('bad-usage', message, 'write one of these, or -e ENV')
  }
  const names = items.map((one) => one.name)
  const advice = meant(name, names, 'see bulkhead get external-services')
  throw new BulkheadError('not-found', `external service ${given}: there is none`, advice)
}

export const externalServicePath = ({ environment, name }: ExternalServiceView): string =>
  `/v1/external-services/${encodeURIComponent(environment)}/${encodeURIComponent(name)}`
