import type { Filter, FilterContext } from './filter.ts'

/** A node serves the zones that it joined with, and no others. */
export function zoneFilter({ revision }: FilterContext): Filter {
  const { zone } = revision.template
  return {
    check: ({ facts }) => facts.zones.includes(zone),
    explain: () => ({ one: `is not in zone ${zone}`, many: `are not in zone ${zone}` }),
  }
}
