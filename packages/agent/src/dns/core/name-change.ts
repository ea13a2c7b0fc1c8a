import type { EndpointTable } from '@bulkhead/shared'

import { emptyDirectory, type NameDirectory, type NameState } from './name-state.ts'

/** What leads from one state to the next, as it is told to another process: tables that stay as they are are left out. */
export interface NameChange extends Omit<NameState, 'directory'> {
  readonly directory: DirectoryChange | null
}

interface DirectoryChange extends Omit<NameDirectory, 'tables'> {
  /** All tables are in `put`. */
  readonly isWhole: boolean
  readonly put: readonly EndpointTable[]
  /** Services that there are no more. */
  readonly gone: readonly string[]
}

/** `told` is what the other process has heard of services; null: nothing. */
export function changeTo(told: NameDirectory | null, state: NameState): NameChange {
  const { directory } = state
  return { ...state, directory: directory === null ? null : directoryChange(told, directory) }
}

function directoryChange(told: NameDirectory | null, now: NameDirectory): DirectoryChange {
  const before = told?.tables ?? emptyDirectory.tables
  const { tables, ...rest } = now
  return {
    ...rest,
    isWhole: told === null,
    // Tables are replaced, never changed.
    put: [...tables].flatMap(([service, table]) => (before.get(service) === table ? [] : [table])),
    gone: [...before.keys()].filter((service) => !tables.has(service)),
  }
}

/** The state after a change; a change without anything about services leaves them as they are. */
export function changedBy(before: NameDirectory, change: NameChange): NameState {
  const { directory } = change
  return { ...change, directory: directory === null ? before : changedDirectory(before, directory) }
}

function changedDirectory(before: NameDirectory, change: DirectoryChange): NameDirectory {
  const { isWhole, put, gone, ...rest } = change
  const tables = new Map(isWhole ? [] : before.tables)
  for (const service of gone) tables.delete(service)
  for (const table of put) tables.set(table.service, table)
  return { ...rest, tables }
}
