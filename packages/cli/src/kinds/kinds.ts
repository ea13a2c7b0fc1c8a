import type { ListName, Lists } from '@bulkhead/shared/client'
import { BulkheadError } from '@bulkhead/shared/client'

import { meant } from '../errors/nearest.ts'
import { endpoints } from './endpoints.ts'
import { events } from './events.ts'
import { externalServices } from './external-services.ts'
import { instances } from './instances.ts'
import type { Kind } from './kind.ts'
import { nodes } from './nodes.ts'
import { revisions } from './revisions.ts'
import { rollouts } from './rollouts.ts'
import { services } from './services.ts'
import { zones } from './zones.ts'

export type KindName = ListName | 'revisions'

/** The kinds that the API lists and watches. */
export const listed: { readonly [K in ListName]: Kind<Lists[K]> } = {
  services,
  instances,
  nodes,
  rollouts,
  events,
  zones,
  'external-services': externalServices,
  endpoints,
}

const names = Object.keys(listed) as readonly ListName[]

/** Every kind by its name. */
export const kindNames: readonly KindName[] = [...names, 'revisions']

const all = [
  ...names.map((name) => ({ ...listed[name], name })),
  { ...revisions, name: 'revisions' as const },
]

/** Plural, singular or short. Throws BulkheadError `bad-usage`. */
export function kindNamed(given: string, among: readonly KindName[] = kindNames): KindName {
  const word = given.toLowerCase()
  const found = all.find(
    ({ name, singular, aliases }) => name === word || singular === word || aliases.includes(word),
  )
  if (found !== undefined && among.includes(found.name)) return found.name
  const words = all
    .filter(({ name }) => among.includes(name))
    .flatMap(({ name, singular }) => [name, singular])
  const advice = meant(word, words, `the kinds are ${among.join(', ')}`)
  throw new BulkheadError('bad-usage', `${given}: there is no such kind here`, advice)
}
