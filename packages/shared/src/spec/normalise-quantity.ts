import { parseDurationMs } from './quantity.ts'

/** The document has been validated: anything unreadable here is a bug. */
export function readable(value: number | null, what: string): number {
  if (value === null) throw new TypeError(`not validated: ${what}`)
  return value
}

/** Milliseconds. */
export const duration = (value: string | 0 | undefined, byDefault: number): number =>
  value === undefined ? byDefault : readable(parseDurationMs(value), 'a duration')
