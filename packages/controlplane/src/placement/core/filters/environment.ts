import type { Filter, FilterContext } from './filter.ts'

/** A node that names no environment belongs to every one. */
export function environmentFilter({ revision }: FilterContext): Filter {
  const { environment } = revision.spec
  return {
    check: ({ facts }) =>
      facts.environments.length === 0 || facts.environments.includes(environment),
    explain: () => ({
      one: `is not in environment ${environment}`,
      many: `are not in environment ${environment}`,
    }),
  }
}
