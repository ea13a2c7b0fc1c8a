import { pointerTo } from '../pointer.ts'
import type { Problem } from './problem.ts'

/**
 * What every document keeps to before a schema looks at it, so that the work and the memory that go into a
 * hostile one are bounded. The largest document that the schemas accept stays well below.
 */
const maxDepth = 32
const maxValues = 5000
const maxKeyLength = 1024

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function isPlainScalar(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  return typeof value === 'number' && Number.isFinite(value)
}

interface Visit {
  readonly value: unknown
  readonly path: readonly (string | number)[]
}

function* childrenOf({ value, path }: Visit): Iterable<Visit> {
  if (Array.isArray(value)) {
    for (const [index, child] of value.entries()) yield { value: child, path: [...path, index] }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) yield { value: child, path: [...path, key] }
  }
}

function problemOf({ value, path }: Visit): string | null {
  if (path.length > maxDepth) return `is nested more than ${maxDepth} levels deep`
  if (typeof value !== 'object' || value === null) {
    return isPlainScalar(value) ? null : 'is neither text, a finite number, true, false nor empty'
  }
  if (!Array.isArray(value) && !isPlainObject(value)) return 'is not plain data'
  const tooLong = Object.keys(value).some((key) => key.length > maxKeyLength)
  return tooLong ? `has a key of more than ${maxKeyLength} characters` : null
}

/** The first reason for which the value is not plain, bounded JSON; null when it is. */
export function shapeProblem(value: unknown): Problem | null {
  const open: Visit[] = [{ value, path: [] }]
  let seen = 0
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    const message = problemOf(visit)
    if (message !== null) return { path: pointerTo(...visit.path), message: `this ${message}` }
    for (const child of childrenOf(visit)) {
      seen += 1
      if (seen > maxValues) {
        return { path: '', message: `the document has more than ${maxValues} values` }
      }
      open.push(child)
    }
  }
  return null
}
