import { Ajv } from 'ajv'
import { default as standalone } from 'ajv/dist/standalone/index.js'

import { sourceSchemas } from '../source.ts'
import { validatorOptions } from './validators.ts'

/** A module that does what `validators.ts` does, compiled already. For the build. */
export function validatorCode(): string {
  const ajv = new Ajv({ ...validatorOptions, code: { source: true, esm: true } })
  const kinds = Object.keys(sourceSchemas)
  for (const [kind, schema] of Object.entries(sourceSchemas)) ajv.addSchema(schema, kind)
  const code = standalone.default(ajv, Object.fromEntries(kinds.map((kind) => [kind, kind])))
  return `${code}\nexport const validatorOf = (kind) => ({ ${kinds.join(', ')} })[kind]\n`
}
