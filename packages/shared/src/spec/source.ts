import { Type, type Static } from 'typebox'

/** What people write: the published JSON Schemas. `normalise` turns it into spec.ts's form. */

type Optional<T extends Type.TProperties> = { [K in keyof T]: Type.TOptional<T[K]> }

const optional = <T extends Type.TProperties>(properties: T) =>
  Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, Type.Optional(value)]),
  ) as Optional<T>
const closed = { additionalProperties: false } as const
/** All keys are optional. */
const object = <T extends Type.TProperties>(properties: T) =>
  Type.Object(optional(properties), closed)
const required = <T extends Type.TProperties>(properties: T) => Type.Object(properties, closed)
/** `description` says what the keys can be. */
const map = <T extends Type.TSchema>(
  pattern: string,
  value: T,
  maxProperties: number,
  description: string,
) => Type.Record(Type.String({ pattern }), value, { ...closed, maxProperties, description })

const namePattern = '^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$'
const nameRule = 'lower-case letters, digits and hyphens, starting with a letter, at most 50'
const Name = Type.String({ pattern: namePattern, maxLength: 50, description: nameRule })
const Duration = Type.Union(
  [Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$' }), Type.Literal(0)],
  { description: 'a number with its unit, such as 500ms, 5s, 10m, 2h or 1d' },
)
const Cpu = Type.Union(
  [
    Type.Number({ exclusiveMinimum: 0, maximum: 1024 }),
    Type.String({ pattern: '^[0-9]+(m|\\.[0-9]+)?$' }),
  ],
  { description: 'cores, such as 0.5, 2 or 250m' },
)
const Memory = Type.Union(
  [Type.Integer(), Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$' })],
  { description: 'bytes, or an amount with its unit, such as 256Mi or 1Gi' },
)
const PortNumber = Type.Integer({ minimum: 1, maximum: 65_535 })
const Count = (maximum: number, minimum = 0) => Type.Integer({ minimum, maximum })
const Text = (maxLength: number) =>
  Type.String({ maxLength, pattern: '^[^\\u0000]*$', description: 'text without NUL characters' })
const Texts = (maxItems: number) => Type.Array(Text(4096), { maxItems })
export const labelKeyPattern =
  '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$'
export const labelValuePattern = '^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$'
const labelRule = 'letters, digits, hyphens, dots and underscores, at most 63'
const LabelKey = Type.String({ pattern: labelKeyPattern, maxLength: 317, description: labelRule })
const LabelValue = Type.String({
  maxLength: 63,
  pattern: labelValuePattern,
  description: labelRule,
})
const Path = Type.String({
  pattern: '^/[^\\u0000]*$',
  maxLength: 1024,
  description: 'an absolute path',
})
const Selector = Type.String({
  maxLength: 1024,
  description: 'a label selector, such as disk=ssd or "os in (debian, ubuntu)"',
})
/** NAME, or NAME.ENVIRONMENT. */
const ServiceName = Type.String({
  maxLength: 101,
  description: 'a service: NAME or NAME.ENVIRONMENT',
})
const HostName = Type.String({
  maxLength: 253,
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$',
  description: 'a host name in lower case',
})

const Port = Type.Object(
  {
    port: PortNumber,
    protocol: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('udp')])),
    host: Type.Optional(PortNumber),
    mode: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('http')])),
    clientAddress: Type.Optional(
      Type.Union([Type.Literal('none'), Type.Literal('header'), Type.Literal('proxy')]),
    ),
  },
  closed,
)

const Exposure = Type.Object(
  {
    port: Name,
    listen: PortNumber,
    host: Type.Optional(HostName),
    path: Type.Optional(
      Type.String({
        pattern: "^/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$",
        maxLength: 1024,
        description: 'the beginning of a path, such as /api',
      }),
    ),
    tls: Type.Optional(required({ secret: Name })),
  },
  closed,
)

const HttpCheck = Type.Object(
  {
    port: Name,
    path: Type.Optional(
      Type.String({
        pattern: '^/[\\u0021-\\u007e]*$',
        maxLength: 1024,
        description: 'a path of printable ASCII that starts with "/"',
      }),
    ),
    headers: Type.Optional(
      map(
        "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
        Type.String({
          pattern: '^[\\u0020-\\u007e]*$',
          maxLength: 1024,
          description: 'printable ASCII',
        }),
        32,
        'a header name is letters, digits and hyphens',
      ),
    ),
  },
  closed,
)

const Probe = object({
  http: HttpCheck,
  tcp: required({ port: Name }),
  exec: Type.Array(Text(4096), { minItems: 1, maxItems: 64 }),
  interval: Duration,
  timeout: Duration,
  failures: Count(1000, 1),
  successes: Count(100, 1),
})

const EnvVariable = Type.Union(
  [Text(131_072), Type.Number(), Type.Boolean(), required({ secret: Name })],
  { description: 'text, a number, true or false, or { secret: NAME }' },
)

const Placement = object({
  require: Type.Array(Selector, { maxItems: 64 }),
  prefer: Type.Array(required({ match: Selector, weight: Count(100, 1) }), { maxItems: 64 }),
  separate: Type.Array(required({ from: ServiceName, by: LabelKey }), { maxItems: 64 }),
  spread: Type.Array(LabelKey, { maxItems: 8 }),
})

const PromotionPause = Type.Union(
  [Type.String({ pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d)|manual)$' }), Type.Literal(0)],
  { description: 'a number with its unit, such as 30s or 5m, or manual to wait for promote' },
)

const CanaryStep = Type.Object(
  {
    weight: Type.Integer({ minimum: 1, maximum: 100, description: 'per cent of new traffic' }),
    pause: Type.Optional(PromotionPause),
  },
  closed,
)

const Analysis = object({
  maxErrorRate: Type.String({
    pattern: '^[0-9]{1,3}(\\.[0-9]{1,3})?%$',
    description: 'a percentage, such as 5% or 0.5%',
  }),
  minRequests: Count(1_000_000_000, 1),
})

const Update = object({
  strategy: Type.Union([
    Type.Literal('rolling'),
    Type.Literal('canary'),
    Type.Literal('blue-green'),
  ]),
  maxSurge: Count(10_000),
  maxUnavailable: Count(10_000),
  minHealthyTime: Duration,
  progressDeadline: Duration,
  onFailure: Type.Union([Type.Literal('rollback'), Type.Literal('pause')]),
  steps: Type.Array(CanaryStep, { minItems: 1, maxItems: 20 }),
  analysis: Analysis,
  keepOld: Duration,
  promote: Type.Union([Type.Literal('auto'), Type.Literal('manual')]),
})

const Signal = Type.String({
  pattern:
    '^SIG(TERM|INT|QUIT|HUP|ABRT|ALRM|CONT|KILL|PIPE|PWR|TSTP|USR1|USR2|WINCH|RTMIN(\\+[0-9]{1,2})?|RTMAX(-[0-9]{1,2})?)$',
  description: 'the name of a signal that can end a process, such as SIGTERM or SIGQUIT',
})

const AccountId = Type.Integer({
  minimum: 1,
  maximum: 4_294_967_294,
  description: '0 is root, which is not permitted',
})

const Security = object({
  user: AccountId,
  group: AccountId,
  writable: Type.Array(Path, { maxItems: 32 }),
  capabilities: Type.Array(Type.Literal('NET_BIND_SERVICE'), { maxItems: 1 }),
  writableRoot: Type.Boolean(),
})

const Scale = object({
  min: Count(10_000),
  max: Count(10_000, 1),
  cpu: Type.String({ pattern: '^[0-9]{1,3}%$', description: 'a percentage, such as 70%' }),
  schedule: Type.Array(
    required({ cron: Type.String({ maxLength: 256 }), replicas: Count(10_000) }),
    { maxItems: 64 },
  ),
})

const nameKeys = `a name is ${nameRule}`

const ServiceProperties = {
  labels: map(labelKeyPattern, LabelValue, 64, `a label key is ${labelRule}`),
  command: Texts(256),
  args: Texts(256),
  replicas: Count(10_000),
  env: map(
    '^[A-Za-z_][A-Za-z0-9_]{0,254}$',
    EnvVariable,
    256,
    'a variable is letters, digits and underscores, not starting with a digit',
  ),
  ports: map(
    namePattern,
    Type.Union([PortNumber, Port], {
      description: 'a port number, or { port, protocol, host, mode, clientAddress }',
    }),
    64,
    nameKeys,
  ),
  resources: object({ cpu: Cpu, memory: Memory, pids: Count(1_000_000, 1) }),
  placement: Placement,
  health: object({ startup: Probe, readiness: Probe, liveness: Probe }),
  restart: object({ delay: Duration, maxDelay: Duration, resetAfter: Duration }),
  update: Update,
  stop: object({ drain: Duration, signal: Signal, grace: Duration }),
  exclusive: Type.Boolean(),
  dependsOn: Type.Array(ServiceName, { maxItems: 64 }),
  expose: Type.Array(Exposure, { maxItems: 16 }),
  secrets: Type.Array(required({ name: Name, path: Path }), { maxItems: 64 }),
  volumes: Type.Array(required({ name: Name, path: Path }), { maxItems: 64 }),
  security: Security,
  scale: Scale,
}

const apiVersion = Type.Literal('bulkhead/v1')

export const ServiceSource = Type.Object(
  {
    apiVersion,
    kind: Type.Literal('Service'),
    name: Name,
    environment: Type.Optional(Name),
    zone: Name,
    image: Type.String({ minLength: 1, maxLength: 512 }),
    ...optional(ServiceProperties),
  },
  { ...closed, title: 'Service', description: 'A declared workload.' },
)
export type ServiceSource = Static<typeof ServiceSource>

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

const Zone = object({
  edge: Type.Boolean(),
  reaches: Type.Array(Name, { maxItems: 64 }),
  egress: Type.Array(Egress, { maxItems: 64 }),
})

export const ZonesSource = Type.Object(
  {
    apiVersion,
    kind: Type.Literal('Zones'),
    name: Type.Optional(Name),
    zones: map(namePattern, Zone, 64, nameKeys),
  },
  {
    ...closed,
    title: 'Zones',
    description: 'The tiers of the cluster and which of them may reach which. One per cluster.',
  },
)
export type ZonesSource = Static<typeof ZonesSource>

/** Every kind of document by its name. */
export const sourceSchemas = { Service: ServiceSource, Zones: ZonesSource } as const
export type SpecKind = keyof typeof sourceSchemas
export type SpecSource = ServiceSource | ZonesSource
