import { BulkheadError, type Query } from '@bulkhead/shared/client'

import type { Context } from '../api/context.ts'
import type { KindName } from '../kinds/kinds.ts'
import type { TableChoice } from '../output/write-table.ts'

export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml'

export interface GetOptions {
  readonly environment?: string
  readonly allEnvironments?: boolean
  readonly output: OutputFormat
  readonly watch?: boolean
  readonly all?: boolean
  readonly service?: string
  readonly node?: string
}

export interface GetRequest {
  readonly output: OutputFormat
  /** As given; what is not called so is left out. */
  readonly name: string | undefined
  readonly query: Query
  /** Of what is found only the last so many. */
  readonly newest?: number
}

/** The columns of its tables: what was asked for needs none. */
export function choiceOf({ output, query }: GetRequest): TableChoice {
  const given = (['environment', 'node'] as const).filter((key) => (query[key] ?? null) !== null)
  return { wide: output === 'wide', given }
}

const byEnvironment: readonly KindName[] = ['services', 'instances', 'rollouts', 'endpoints']

function refuse(option: string, kind: string): never {
  throw new BulkheadError(
    'bad-usage',
    `get ${kind}: ${option} says nothing about them`,
    'leave it out',
  )
}

/** What is asked of a list of the API. Throws BulkheadError `bad-usage` for what does not go together. */
export function requestOf(
  kind: KindName,
  name: string | undefined,
  options: GetOptions,
  context: Context,
): GetRequest {
  const { output, environment, service, node, all, watch } = options
  if (node !== undefined && kind !== 'instances') refuse('--node', kind)
  if (all === true && kind !== 'instances') refuse('--all', kind)
  if (service !== undefined && kind !== 'instances' && kind !== 'rollouts')
    refuse('--service', kind)
  if (watch === true && kind === 'revisions') refuse('--watch', kind)
  const preferred = options.allEnvironments === true ? undefined : context.environment
  const narrowed = byEnvironment.includes(kind) ? (environment ?? preferred) : undefined
  return { output, name, query: { environment: narrowed, service, node, all } }
}
