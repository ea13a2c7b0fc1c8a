import { Assignment, EndpointTable, Policy } from '@bulkhead/shared'
import type { Logger } from 'pino'
import { Compile } from 'typebox/schema'

import type { LeaseTimes } from './core/lease.ts'
import type { Lineage } from './core/lineage.ts'
import type { Entry } from './journal/format.ts'
import type { Bridge } from './network/core/bridge.ts'
import type { EngineReport } from './node/facts.ts'

/** What an agent was in the middle of when it ended. */
export interface Restored {
  readonly lineages: readonly Lineage[]
  readonly tables: readonly EndpointTable[]
  readonly policy: Policy | null
  /** Ports of discovery by network. */
  readonly ports: ReadonlyMap<string, number>
  readonly bridges: readonly Bridge[]
  readonly engine: EngineReport | null
  readonly lease: LeaseTimes | null
}

const assignment = Compile(Assignment)
const endpointTable = Compile(EndpointTable)
const policyOf = Compile(Policy)

/** Sorts out the entries of a journal. One that makes no sense is left out, and said to be. */
export function restoreFrom(entries: readonly Entry[], logger: Logger): Restored {
  const values = new Map(entries.map(({ key, value }) => [key, value]))
  const lineages: Lineage[] = []
  const tables: EndpointTable[] = []
  const ports = new Map<string, number>()
  const bridges: Bridge[] = []
  for (const [key, value] of values) {
    const [kind, name] = split(key)
    if (kind === 'lineage') {
      const lineage = lineageOf(value, values.get(`assignment/${name}`))
      if (lineage) lineages.push(lineage)
      else logger.error({ key }, 'an entry of the journal makes no sense and is left out')
    }
    if (kind === 'endpoints' && endpointTable.Check(value)) tables.push(value)
    // Written by this program under a checksum: its shape is trusted.
    if (kind === 'bridge' && value !== null) bridges.push(value as Bridge)
    if (kind === 'port' && typeof value === 'number') ports.set(name, value)
  }
  const last = values.get('policy')
  const policy = policyOf.Check(last) ? last : null
  const engine = (values.get('engine') ?? null) as EngineReport | null
  const lease = (values.get('lease') ?? null) as LeaseTimes | null
  return { lineages, tables, policy, ports, bridges, engine, lease }
}

function split(key: string): readonly [string, string] {
  const slash = key.indexOf('/')
  return slash < 0 ? [key, ''] : [key.slice(0, slash), key.slice(slash + 1)]
}

/** Written by this program under a checksum: the shape is trusted, an assignment of another version is not. */
function lineageOf(value: unknown, assigned: unknown): Lineage | null {
  if (typeof value !== 'object' || value === null || !assignment.Check(assigned)) return null
  const rest = value as Omit<Lineage, 'assignment'>
  const isWhole = typeof rest.key === 'string' && typeof rest.current?.id === 'string'
  return isWhole && Array.isArray(rest.ended) ? { ...rest, assignment: assigned } : null
}
