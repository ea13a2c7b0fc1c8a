import type { FieldChange } from '../api/views.ts'
import { pointerTo } from './pointer.ts'

type Members = Readonly<Record<string, unknown>>

const isContainer = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null

function* changesAt(path: string, before: unknown, after: unknown): Iterable<FieldChange> {
  if (before === after) return
  const bothContainers = isContainer(before) && isContainer(after)
  if (!bothContainers || Array.isArray(before) !== Array.isArray(after)) {
    yield {
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    }
    return
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined
    const now = Object.hasOwn(after, key) ? after[key] : undefined
    yield* changesAt(`${path}${pointerTo(key)}`, old, now)
  }
}

const byPath = (a: FieldChange, b: FieldChange): number =>
  a.path === b.path ? 0 : a.path < b.path ? -1 : 1

/**
 * The smallest places in which two values of plain JSON differ, by path. A member that is on one side only
 * lacks `before` or `after`; lists are compared by index.
 */
export function changesBetween(before: unknown, after: unknown): FieldChange[] {
  return [...changesAt('', before, after)].toSorted(byPath)
}
