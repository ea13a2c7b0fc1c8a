import type { KernelTable } from './readback.ts'
import { type Ruleset, setNames } from './ruleset.ts'

/** Elements that are named in full; the rest is counted. */
const named = 3

/**
 * What of a table is not as it was set, in words; `structure` is that of the table right after it was made. Empty
 * when nothing is.
 */
export function findDrift(
  structure: KernelTable['structure'],
  wanted: Ruleset,
  found: KernelTable | null,
): readonly string[] {
  if (found === null) return ['the whole table is gone']
  const changed = [...new Set([...structure.keys(), ...found.structure.keys()])]
    .filter((key) => structure.get(key) !== found.structure.get(key))
    .map((key) => {
      if (!found.structure.has(key)) return `${key} is gone`
      return structure.has(key) ? `${key} was changed` : `${key} was added`
    })
  const elements = setNames.flatMap((name) => {
    const missing = [...wanted.sets[name]].filter((one) => !found.sets[name].has(one))
    const foreign = [...found.sets[name]].filter((one) => !wanted.sets[name].has(one))
    return [
      ...(missing.length > 0 ? [`set ${name} lacks ${some(missing)}`] : []),
      ...(foreign.length > 0 ? [`set ${name} also had ${some(foreign)}`] : []),
    ]
  })
  return [...changed, ...elements]
}

function some(elements: readonly string[]): string {
  const rest = elements.length - named
  const shown = elements.slice(0, named).join(', ')
  return rest > 0 ? `${shown} and ${rest} more` : shown
}
