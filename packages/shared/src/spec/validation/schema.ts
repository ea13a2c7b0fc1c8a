import type { SpecKind } from '../source.ts'
import { explainErrors } from './explain.ts'
import type { Problem } from './problem.ts'
import { validatorOf } from './validators.ts'

/** What the published schema of the kind has against the value: one problem for each place. */
export function schemaProblems(kind: SpecKind, value: unknown): Problem[] {
  const validator = validatorOf(kind)
  if (validator(value)) return []
  const byPlace = new Map<string, Problem>()
  for (const problem of explainErrors(validator.errors ?? [])) {
    const isMissing = problem.message.startsWith('missing key')
    const place = isMissing ? `${problem.path} ${problem.message}` : problem.path
    if (!byPlace.has(place)) byPlace.set(place, problem)
  }
  return [...byPlace.values()]
}
