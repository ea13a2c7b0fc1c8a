import { Ajv, type Options, type ValidateFunction } from 'ajv'

import { type SpecKind, type SpecSource, sourceSchemas } from '../source.ts'

/** A test holds the schemas against their own schema, once, so that it need not be done at every start. */
export const validatorOptions: Options = {
  allErrors: true,
  verbose: true,
  ownProperties: true,
  meta: false,
  validateSchema: false,
  code: { optimize: false },
}

const compiled = new Map<SpecKind, ValidateFunction<SpecSource>>()

/**
 * Compiling takes tens of milliseconds, which is why it waits for the first document of its kind. The build
 * puts code that is compiled already in the place of this module.
 */
export function validatorOf(kind: SpecKind): ValidateFunction<SpecSource> {
  const known = compiled.get(kind)
  if (known) return known
  const validator = new Ajv(validatorOptions).compile<SpecSource>(sourceSchemas[kind])
  compiled.set(kind, validator)
  return validator
}
