import { Type, type Static } from 'typebox'

import {
  Zone,
  optional,
  closed,
  object,
  required,
  map,
  namePattern,
  nameRule,
  Name,
  Duration,
  Cpu,
  Memory,
  PortNumber,
  Count,
  Text,
  Texts,
  labelKeyPattern,
  labelRule,
  LabelKey,
  LabelValue,
  Path,
  Selector,
  ServiceName,
  HostName,
} from './source-parts.ts'

/** What people write: the published JSON Schemas. `normalise` turns it into spec.ts's form. */

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

export const ExternalServiceSource = Type.Object(
  {
    apiVersion,
    kind: Type.Literal('ExternalService'),
    name: Name,
    environment: Type.Optional(Name),
    zone: Name,
    addresses: Type.Array(
      Type.String({ maxLength: 64, description: 'an IP address, such as 10.20.0.5' }),
      { minItems: 1, maxItems: 64 },
    ),
    ports: map(
      namePattern,
      Type.Union(
        [
          PortNumber,
          Type.Object(
            {
              port: PortNumber,
              protocol: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('udp')])),
            },
            closed,
          ),
        ],
        { description: 'a port number, or { port, protocol }' },
      ),
      64,
      nameKeys,
    ),
  },
  {
    ...closed,
    title: 'ExternalService',
    description: 'What runs outside containers and is reached under the same rules as a service.',
  },
)
export type ExternalServiceSource = Static<typeof ExternalServiceSource>

/** Every kind of document by its name. */
export const sourceSchemas = {
  Service: ServiceSource,
  ExternalService: ExternalServiceSource,
  Zones: ZonesSource,
} as const
export type SpecKind = keyof typeof sourceSchemas
export type SpecSource = ServiceSource | ExternalServiceSource | ZonesSource
