import type { InstanceView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'

import type { Connection } from '../toolkit.ts'

/** `NAME-SLOT-HASH`, as all ids of instances are. */
export const isInstanceId = (text: string): boolean => /^.+-[0-9]+-[a-z2-9]{8}$/.test(text)

const serves = ({ state }: InstanceView): boolean =>
  !['stopping', 'stopped', 'failed', 'lost'].includes(state)

function answersTo(given: string, { id, service, slot }: InstanceView): boolean {
  const place = `${service}-${slot}`
  return (
    given === service || given === place || (given.startsWith(`${place}-`) && id.startsWith(given))
  )
}

function onlyOne(given: string, found: readonly InstanceView[]): InstanceView | null {
  const serving = found.filter((instance) => serves(instance))
  const choice = serving.length > 0 ? serving : found
  const [only] = choice
  if (only === undefined || choice.length === 1) return only ?? null
  const ids = choice.map(({ id, environment }) => `${id} (${environment})`).join(', ')
  throw new BulkheadError('bad-usage', `instance ${given}: it can be ${ids}`, 'write one of these')
}

/**
 * Finds an instance by its id or by the beginning of its id: `web-0` is whatever serves slot 0 of web. Null
 * when there is none.
 */
export async function findInstanceOrNull(
  { client }: Connection,
  given: string,
  environment: string | undefined,
  signal: AbortSignal,
): Promise<InstanceView | null> {
  if (isInstanceId(given)) {
    const path = `/v1/instances/${encodeURIComponent(given)}`
    return client.request<InstanceView>('GET', path, { signal }).catch((error: unknown) => {
      if (error instanceof BulkheadError && error.code === 'not-found') return null
      throw error
    })
  }
  const { items } = await client.list('instances', { environment }, signal)
  return onlyOne(
    given,
    items.filter((instance) => answersTo(given, instance)),
  )
}

/** As findInstanceOrNull. Throws BulkheadError `not-found`. */
export async function findInstance(
  ...given: Parameters<typeof findInstanceOrNull>
): Promise<InstanceView> {
  const instance = await findInstanceOrNull(...given)
  if (instance !== null) return instance
  const advice = 'see bulkhead get instances --all'
  throw new BulkheadError('not-found', `instance ${given[1]}: there is none`, advice)
}
