import { Type } from 'typebox'

/** What schemas of documents are made of. */

type Optional<T extends Type.TProperties> = { [K in keyof T]: Type.TOptional<T[K]> }

export const optional = <T extends Type.TProperties>(properties: T) =>
  Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, Type.Optional(value)]),
  ) as Optional<T>
export const closed = { additionalProperties: false } as const
/** All keys are optional. */
export const object = <T extends Type.TProperties>(properties: T) =>
  Type.Object(optional(properties), closed)
export const required = <T extends Type.TProperties>(properties: T) =>
  Type.Object(properties, closed)
/** `description` says what the keys can be. */
export const map = <T extends Type.TSchema>(
  pattern: string,
  value: T,
  maxProperties: number,
  description: string,
) => Type.Record(Type.String({ pattern }), value, { ...closed, maxProperties, description })

export const namePattern = '^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$'
export const nameRule = 'lower-case letters, digits and hyphens, starting with a letter, at most 50'
export const Name = Type.String({ pattern: namePattern, maxLength: 50, description: nameRule })
export const Duration = Type.Union(
  [Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$' }), Type.Literal(0)],
  { description: 'a number with its unit, such as 500ms, 5s, 10m, 2h or 1d' },
)
export const Cpu = Type.Union(
  [
    Type.Number({ exclusiveMinimum: 0, maximum: 1024 }),
    Type.String({ pattern: '^[0-9]+(m|\\.[0-9]+)?$' }),
  ],
  { description: 'cores, such as 0.5, 2 or 250m' },
)
export const Memory = Type.Union(
  [Type.Integer(), Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$' })],
  { description: 'bytes, or an amount with its unit, such as 256Mi or 1Gi' },
)
export const PortNumber = Type.Integer({ minimum: 1, maximum: 65_535 })
export const Count = (maximum: number, minimum = 0) => Type.Integer({ minimum, maximum })
export const Text = (maxLength: number) =>
  Type.String({ maxLength, pattern: '^[^\\u0000]*$', description: 'text without NUL characters' })
export const Texts = (maxItems: number) => Type.Array(Text(4096), { maxItems })
export const labelKeyPattern =
  '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$'
export const labelValuePattern = '^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$'
export const labelRule = 'letters, digits, hyphens, dots and underscores, at most 63'
export const LabelKey = Type.String({
  pattern: labelKeyPattern,
  maxLength: 317,
  description: labelRule,
})
export const LabelValue = Type.String({
  maxLength: 63,
  pattern: labelValuePattern,
  description: labelRule,
})
export const Path = Type.String({
  pattern: '^/[^\\u0000]*$',
  maxLength: 1024,
  description: 'an absolute path',
})
export const Selector = Type.String({
  maxLength: 1024,
  description: 'a label selector, such as disk=ssd or "os in (debian, ubuntu)"',
})
/** NAME, or NAME.ENVIRONMENT. */
export const ServiceName = Type.String({
  maxLength: 101,
  description: 'a service: NAME or NAME.ENVIRONMENT',
})
export const HostName = Type.String({
  maxLength: 253,
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$',
  description: 'a host name in lower case',
})

const Cidr = Type.String({
  maxLength: 64,
  description: 'an address or a network, such as 10.20.0.0/16 or fd00:20::/48',
})

const Egress = Type.Object(
  {
    to: Cidr,
    ports: Type.Optional(Type.Array(PortNumber, { minItems: 1, maxItems: 64 })),
    protocol: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('udp')])),
  },
  { ...closed, description: 'where containers may connect to outside: { to, ports, protocol }' },
)

/** One zone of the document of zones. */
export const Zone = object({
  edge: Type.Boolean(),
  reaches: Type.Array(Name, { maxItems: 64 }),
  egress: Type.Array(Egress, { maxItems: 64 }),
})
