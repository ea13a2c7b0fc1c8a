import type { InstanceView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'

import { listed } from '../output/text.ts'
import type { Connection } from '../toolkit.ts'
import { checkName } from './check-name.ts'

/** `NAME-SLOT-HASH`, as all ids of instances are. */
export const isInstanceId = (text: string): boolean => /^.+-[0-9]+-[a-z2-9]{8}$/.test(text)

const shownLimit = 5

/** How much of a live instance it is: of several in one slot, the one that serves is meant. */
function rankOf({ state, health }: InstanceView): number {
  if (['stopped', 'failed', 'lost'].includes(state)) return 0
  if (['pending', 'assigned', 'pulling', 'created', 'stopping'].includes(state)) return 1
  return state === 'running' && health === 'healthy' ? 3 : 2
}

function isPreferred(a: InstanceView, b: InstanceView): boolean {
  const [left, right] = [rankOf(a), rankOf(b)]
  return left === right ? a.createdAt > b.createdAt : left > right
}

function answersTo(given: string, { id, service, slot }: InstanceView): boolean {
  const place = `${service}-${slot}`
  return (
    given === service || given === place || (given.startsWith(`${place}-`) && id.startsWith(given))
  )
}

function onlyOne(given: string, found: readonly InstanceView[]): InstanceView | null {
  const best = new Map<string, InstanceView>()
  for (const instance of found) {
    const place = `${instance.environment}/${instance.service}/${instance.slot}`
    const known = best.get(place)
    if (known === undefined || isPreferred(instance, known)) best.set(place, instance)
  }
  const choice = [...best.values()]
  const [only] = choice
  if (only === undefined || choice.length === 1) return only ?? null
  const ids = listed(
    choice.map(({ id, environment }) => `${id} (${environment})`),
    shownLimit,
  )
  throw new BulkheadError('bad-usage', `instance ${given}: it can be ${ids}`, 'write one of these')
}

/**
 * Finds an instance by its id or by the beginning of its id: `web-0` is what serves slot 0 of web best, the
 * newest of equals. Null when there is none.
 */
export async function findInstanceOrNull(
  { client }: Connection,
  given: string,
  environment: string | undefined,
  signal: AbortSignal,
): Promise<InstanceView | null> {
  checkName('instance', given)
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
