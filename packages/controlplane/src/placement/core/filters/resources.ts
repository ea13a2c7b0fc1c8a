import { formatBytes, formatCpu } from '@bulkhead/shared'

import type { Filter, FilterContext } from './filter.ts'

/** What all instances of a node reserve must not exceed what the node has. */
export function resourcesFilter({ revision, books }: FilterContext): Filter {
  const { cpuMillis, memoryBytes } = revision.template.resources
  return {
    check({ name, facts: { capacity } }) {
      const reserved = books.reservedOn(name)
      if (capacity.cpuMillis - reserved.cpuMillis < cpuMillis) return false
      return capacity.memoryBytes - reserved.memoryBytes >= memoryBytes
    },
    explain({ name, facts: { capacity } }) {
      const reserved = books.reservedOn(name)
      const freeCpu = Math.max(capacity.cpuMillis - reserved.cpuMillis, 0)
      const freeMemory = Math.max(capacity.memoryBytes - reserved.memoryBytes, 0)
      const wanted: string[] = []
      const missing: string[] = []
      if (freeCpu < cpuMillis) {
        wanted.push(`${formatCpu(cpuMillis)} cpu`)
        missing.push(`${formatCpu(freeCpu)} of ${formatCpu(cpuMillis)} cpu`)
      }
      if (freeMemory < memoryBytes) {
        const free = formatBytes(freeMemory)
        wanted.push(`${formatBytes(memoryBytes)} memory`)
        missing.push(`${free} of ${formatBytes(memoryBytes)} memory`)
      }
      return {
        one: `lacks ${wanted.join(' and ')}`,
        many: `lack ${wanted.join(' and ')}`,
        detail: `has ${missing.join(' and ')} free`,
      }
    },
  }
}
