import { resolveServiceName, splitServiceKey, type ServiceKey } from '@bulkhead/shared'

import type { FilterContext } from './filters/filter.ts'

/** The service must not meet instances of `other` within a domain of level `by`. */
export interface Separation {
  readonly other: ServiceKey
  readonly by: string
  /** True when the service itself says so, false when only the other one does. */
  readonly own: boolean
}

/**
 * Rules hold both ways: the service's own ones first, then those of others that name it; each once.
 */
export function separationsOf({
  view,
  service,
  rules,
}: Pick<FilterContext, 'view' | 'service' | 'rules'>): readonly Separation[] {
  const found = new Map<string, Separation>()
  for (const { from, by } of rules.separate) {
    const other = from === 'self' ? service : resolveServiceName(from, service)
    found.set(`${by} ${other}`, { other, by, own: true })
  }
  for (const { service: other, by } of view.separatedBy(service)) {
    const key = `${by} ${other}`
    if (!found.has(key)) found.set(key, { other, by, own: false })
  }
  return [...found.values()]
}

/** `an api instance`, `a billing.prod instance`: as the service `of` names it. */
export function describeOther(other: ServiceKey, of: ServiceKey): string {
  if (other === of) return 'an instance of the service'
  const { environment, name } = splitServiceKey(other)
  const text = environment === splitServiceKey(of).environment ? name : `${name}.${environment}`
  return `${/^[aeiou]/.test(text) ? 'an' : 'a'} ${text} instance`
}
