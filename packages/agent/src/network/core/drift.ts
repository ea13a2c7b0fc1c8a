import type { KernelTable } from './readback.ts'
import { type Ruleset, setNames } from './ruleset.ts'

/** Elements that are named in full; the rest is counted. */
const named = 3

/** A table as it was set. */
export interface Expected {
  /** Of the table right after it was made. */
  readonly structure: KernelTable['structure']
  readonly ruleset: Ruleset
  /** What may be in the sets of endpoints that are being left. */
  readonly leaving: ReadonlySet<string>
}

/** What of a table is not as it was set, in words. Empty when nothing is. */
export function findDrift(expected: Expected, found: KernelTable | null): readonly string[] {
  if (found === null) return ['the whole table is gone']
  const { structure, ruleset, leaving } = expected
  if (found.structure.size === 0)
    return ['the table cannot be read: it was changed, or put to sleep']
  const changed = [...new Set([...structure.keys(), ...found.structure.keys()])]
    .filter((key) => structure.get(key) !== found.structure.get(key))
    .map((key) => {
      if (!found.structure.has(key)) return `${key} is gone`
      return structure.has(key) ? `${key} was changed` : `${key} was added`
    })
  const left = { name: 'leaving', missing: [], foreign: minus(found.leaving, leaving) }
  const elements = [...setDrift(ruleset, found), left].flatMap(({ name, missing, foreign }) => [
    ...(missing.length > 0 ? [`set ${name} lacks ${some(missing)}`] : []),
    ...(foreign.length > 0 ? [`set ${name} also had ${some(foreign)}`] : []),
  ])
  return [...changed, ...elements]
}

/** Whether any set of a table has other elements than it should. */
export const lacks = (wanted: Ruleset, found: KernelTable | null): boolean =>
  found === null ||
  setDrift(wanted, found).some(({ missing, foreign }) => missing.length + foreign.length > 0)

const setDrift = (wanted: Ruleset, found: KernelTable) =>
  setNames.map((name) => {
    const missing = minus(wanted.sets[name], found.sets[name])
    return { name, missing, foreign: minus(found.sets[name], wanted.sets[name]) }
  })

const minus = (all: ReadonlySet<string>, without: ReadonlySet<string>): readonly string[] =>
  [...all].filter((one) => !without.has(one))

function some(elements: readonly string[]): string {
  const rest = elements.length - named
  const shown = elements.slice(0, named).join(', ')
  return rest > 0 ? `${shown} and ${rest} more` : shown
}
