import { Ajv, type ValidateFunction } from 'ajv'

import { type SpecKind, type SpecSource, sourceSchemas } from '../source.ts'
import { explainErrors } from './explain.ts'
import type { Problem } from './problem.ts'

const compiled = new Map<SpecKind, ValidateFunction<SpecSource>>()

/**
 * Compiling takes tens of milliseconds, which is why it waits for the first document of its kind and leaves
 * out what a test does once: holding the schemas against their own schema.
 */
function validatorOf(kind: SpecKind): ValidateFunction<SpecSource> {
  const known = compiled.get(kind)
  if (known) return known
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    ownProperties: true,
    meta: false,
    validateSchema: false,
    code: { optimize: false },
  })
  const validator = ajv.compile<SpecSource>(sourceSchemas[kind])
  compiled.set(kind, validator)
  return validator
}

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
