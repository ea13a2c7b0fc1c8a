import { BulkheadError, printable } from '@bulkhead/shared'
import { alternatives, hint, shownValue } from '@bulkhead/shared/validation'
import type { FastifyInstance } from 'fastify'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'

const maxShown = 60

/** What ajv says with `verbose` beyond what fastify declares. */
interface VerboseError extends FastifySchemaValidationError {
  readonly data?: unknown
  readonly parentSchema?: { readonly description?: string; readonly properties?: object }
}

const nothing = { type: 'object', additionalProperties: false, properties: {} }

/** A route that declares no query parameters or no body takes none, and says so. */
export function refuseTheUndeclared(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/v1/')) return
    const schema = { querystring: nothing, ...route.schema }
    const mayHaveBody = route.method === 'POST' && schema.body === undefined
    route.schema = mayHaveBody
      ? { ...schema, body: { ...nothing, type: ['object', 'null'] } }
      : schema
  })
}

/** What is wrong with a query string or a body, and what would be right. */
export function schemaProblem(
  errors: readonly FastifySchemaValidationError[],
  part: string,
): BulkheadError {
  const [error] = errors as readonly VerboseError[]
  const message = !error
    ? `the ${part} is not valid`
    : part === 'querystring'
      ? inQuery(error)
      : inBody(error)
  return new BulkheadError('bad-request', message, 'nothing was changed; see /v1/openapi.json')
}

function inQuery({ keyword, params, instancePath, data, parentSchema }: VerboseError): string {
  if (keyword === 'additionalProperties')
    return unknownKey('there is no query parameter', params, parentSchema)
  const name = instancePath.slice(1)
  if (typeof data !== 'string')
    return `query parameter ${name} was given more than once; give it once`
  return `${name}=${printable(data, maxShown)} is not ${parentSchema?.description ?? 'valid'}`
}

function inBody({
  keyword,
  params,
  instancePath,
  message,
  data,
  parentSchema,
}: VerboseError): string {
  const where = instancePath === '' ? 'the body' : printable(instancePath.slice(1), maxShown)
  if (keyword === 'additionalProperties')
    return unknownKey(`${where} has no key`, params, parentSchema)
  if (keyword === 'required') return `${where} ${message}`
  if (keyword === 'enum')
    return `${where} must be ${alternatives(params['allowedValues'] as string[])}, not ${shownValue(data)}`
  return `${where} ${message ?? 'is not valid'}, not ${shownValue(data)}`
}

function unknownKey(
  what: string,
  params: VerboseError['params'],
  schema: VerboseError['parentSchema'],
): string {
  const known = Object.keys(schema?.properties ?? {})
  const key = String(params['additionalProperty'])
  const allowed =
    known.length === 0
      ? 'it takes none'
      : `the known ${known.length === 1 ? 'one is' : 'ones are'} ${known.join(', ')}`
  return `${what} ${printable(key, maxShown)}${hint(key, known)}; ${allowed}`
}
