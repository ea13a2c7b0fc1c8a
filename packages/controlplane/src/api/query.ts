/**
 * Query parameters as JSON Schema: all of them are text on the wire, the description is what people are told when a
 * value does not fit, and what a route does not list is refused.
 */
interface Parameter {
  readonly type: 'string'
  readonly description: string
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
}

const oneOf = (...words: readonly string[]): Parameter => ({
  type: 'string',
  enum: words,
  description: `one of ${words.join(', ')}`,
})

export const nameParameter: Parameter = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$',
  description: 'a name',
}
export const keyParameter: Parameter = {
  type: 'string',
  minLength: 1,
  maxLength: 300,
  description: 'the name or key of an object',
}
export const revisionParameter: Parameter = {
  type: 'string',
  pattern: '^[0-9]{1,15}$',
  description: 'a revision, such as that of a list',
}
export const countParameter: Parameter = {
  type: 'string',
  pattern: '^[0-9]{1,9}$',
  description: 'a whole number from 0',
}
export const limitParameter: Parameter = {
  type: 'string',
  pattern: '^([1-9][0-9]{0,3}|10000)$',
  description: 'a whole number from 1 to 10000',
}
export const timeParameter: Parameter = {
  type: 'string',
  pattern: '^[0-9]{1,15}(\\.[0-9]+)?$',
  description: 'a time in milliseconds since 1970',
}
export const flagParameter = oneOf('true', 'false')
export const kindParameter = oneOf(
  'Service',
  'Instance',
  'Node',
  'Rollout',
  'Zones',
  'ExternalService',
  'Token',
  'Secret',
  'Cluster',
)

/** The whole of a route's query string. */
export const querySchema = (properties: Readonly<Record<string, Parameter>>) => ({
  type: 'object',
  additionalProperties: false,
  properties,
})

/** That of a list: its filters, and `watch`. */
export const listSchema = (filters: Readonly<Record<string, Parameter>> = {}) => ({
  querystring: querySchema({ ...filters, watch: revisionParameter }),
})
