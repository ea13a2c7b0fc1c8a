import { Type, type Static } from 'typebox'

/**
 * A service as Bulkhead works with it: every default filled in, every quantity a number with its unit in the
 * name. `normalise` makes it from what people write (source.ts).
 */

const Strings = Type.Array(Type.String())
const Map = <T extends Type.TSchema>(value: T) => Type.Record(Type.String(), value)
/** Milliseconds; the limits are those that validation holds documents to. */
const Duration = (minimum = 0) => Type.Integer({ minimum, maximum: 365 * 86_400_000 })
const Nullable = <T extends Type.TSchema>(value: T) => Type.Union([value, Type.Null()])

export const EnvValue = Type.Union([Type.String(), Type.Object({ secret: Type.String() })])

export const Port = Type.Object({
  port: Type.Integer(),
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
  /** A fixed port of the host; null: one is chosen from the cluster's range. */
  host: Nullable(Type.Integer()),
})

/** How the proxy of each node passes connections on: no part of the container. */
const PortOffer = Type.Object({
  /** `http`: requests are spread one by one; `tcp`: connections are. */
  mode: Type.Union([Type.Literal('tcp'), Type.Literal('http')]),
  /** How the service is told its client's address: not at all, X-Forwarded-For, or the PROXY protocol. */
  clientAddress: Type.Union([Type.Literal('none'), Type.Literal('header'), Type.Literal('proxy')]),
})

export const ServicePort = Type.Interface([Port, PortOffer], {})

export const Check = Type.Union([
  Type.Object({
    kind: Type.Literal('http'),
    port: Type.String(),
    path: Type.String(),
    headers: Map(Type.String()),
  }),
  Type.Object({ kind: Type.Literal('tcp'), port: Type.String() }),
  Type.Object({ kind: Type.Literal('exec'), command: Strings }),
])

export const Probe = Type.Object({
  check: Check,
  intervalMs: Duration(100),
  timeoutMs: Duration(10),
  failures: Type.Integer({ minimum: 1 }),
  successes: Type.Integer({ minimum: 1 }),
})

export const Health = Type.Object({
  startup: Nullable(Probe),
  readiness: Nullable(Probe),
  liveness: Nullable(Probe),
})

export const Resources = Type.Object({
  cpuMillis: Type.Integer(),
  memoryBytes: Type.Integer(),
  pids: Type.Integer(),
})

export const Restart = Type.Object({
  delayMs: Duration(100),
  maxDelayMs: Duration(100),
  resetAfterMs: Duration(),
})

export const Stop = Type.Object({
  drainMs: Duration(),
  signal: Type.String(),
  graceMs: Duration(),
})

export const Security = Type.Object({
  user: Type.Integer(),
  group: Type.Integer(),
  /** Directories that get a tmpfs of their own. */
  writable: Strings,
  /** Loosenings: each is false or empty by default and shows in `describe`. */
  capabilities: Strings,
  writableRoot: Type.Boolean(),
})

/** A share of new traffic that a canary is given, and for how long; null: until somebody promotes it. */
export const CanaryStep = Type.Object({
  weightPercent: Type.Integer({ minimum: 1, maximum: 100 }),
  pauseMs: Nullable(Duration()),
})

/** What answers of a new revision may look like. */
export const Analysis = Type.Object({
  maxErrorPercent: Type.Number(),
  /** With fewer requests nothing is said of their errors. */
  minRequests: Type.Integer(),
})

export const Update = Type.Object({
  strategy: Type.Union([
    Type.Literal('rolling'),
    Type.Literal('canary'),
    Type.Literal('blue-green'),
  ]),
  maxSurge: Type.Integer(),
  maxUnavailable: Type.Integer(),
  minHealthyTimeMs: Type.Integer(),
  progressDeadlineMs: Type.Integer(),
  onFailure: Type.Union([Type.Literal('rollback'), Type.Literal('pause')]),
  /** Of canary alone; the last one has all traffic. */
  steps: Type.Optional(Type.Array(CanaryStep)),
  /** Of canary and blue-green. */
  analysis: Type.Optional(Analysis),
  /** Of blue-green alone: how long the old set is kept after the switch. */
  keepOldMs: Type.Optional(Duration()),
  promote: Type.Optional(Type.Union([Type.Literal('auto'), Type.Literal('manual')])),
})

export const Separation = Type.Object({ from: Type.String(), by: Type.String() })

export const Placement = Type.Object({
  /** Label selectors in Kubernetes' syntax; all must hold. */
  require: Strings,
  prefer: Type.Array(Type.Object({ match: Type.String(), weight: Type.Integer() })),
  separate: Type.Array(Separation),
  /** Levels of failure domain, most significant first. */
  spread: Strings,
})

export const ServiceSpec = Type.Object({
  name: Type.String(),
  environment: Type.String(),
  labels: Map(Type.String()),
  zone: Type.String(),
  image: Type.String(),
  command: Strings,
  args: Strings,
  replicas: Type.Integer(),
  env: Map(EnvValue),
  ports: Map(ServicePort),
  resources: Resources,
  placement: Placement,
  health: Health,
  restart: Restart,
  update: Update,
  stop: Stop,
  exclusive: Type.Boolean(),
  dependsOn: Strings,
  expose: Type.Array(
    Type.Object({
      port: Type.String(),
      listen: Type.Integer(),
      host: Nullable(Type.String()),
      /** Beginning of the path, whole segments of it. */
      path: Type.String(),
      /** The secret with certificate chain and key; null: no TLS. */
      tlsSecret: Nullable(Type.String()),
    }),
  ),
  secrets: Type.Array(Type.Object({ name: Type.String(), path: Type.String() })),
  volumes: Type.Array(Type.Object({ name: Type.String(), path: Type.String() })),
  security: Security,
  scale: Nullable(
    Type.Object({
      min: Type.Integer(),
      max: Type.Integer(),
      cpuPercent: Nullable(Type.Integer()),
      schedule: Type.Array(Type.Object({ cron: Type.String(), replicas: Type.Integer() })),
    }),
  ),
})

/** Where containers may connect to outside the cluster: a network in CIDR form; no ports: all of them. */
export const Egress = Type.Object({
  to: Type.String(),
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
  ports: Type.Array(Type.Integer()),
})

export const ZonePolicy = Type.Object({
  edge: Type.Boolean(),
  reaches: Strings,
  egress: Type.Array(Egress),
})
/** What runs outside containers of ours: a managed database, say. */
export const ExternalServiceSpec = Type.Object({
  name: Type.String(),
  environment: Type.String(),
  zone: Type.String(),
  /** IPv4 and IPv6. */
  addresses: Strings,
  ports: Map(
    Type.Object({
      port: Type.Integer(),
      protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
    }),
  ),
})
export type ExternalServiceSpec = Static<typeof ExternalServiceSpec>

export const ZonesSpec = Type.Object({ zones: Map(ZonePolicy) })

export type EnvValue = Static<typeof EnvValue>
export type Port = Static<typeof Port>
export type ServicePort = Static<typeof ServicePort>
export type Check = Static<typeof Check>
export type Probe = Static<typeof Probe>
export type HealthSpec = Static<typeof Health>
export type Resources = Static<typeof Resources>
export type Update = Static<typeof Update>
export type CanaryStep = Static<typeof CanaryStep>
export type Analysis = Static<typeof Analysis>
export type Separation = Static<typeof Separation>
export type Placement = Static<typeof Placement>
export type ServiceSpec = Static<typeof ServiceSpec>
export type ZonePolicy = Static<typeof ZonePolicy>
export type ZonesSpec = Static<typeof ZonesSpec>

export const defaultZones: ZonesSpec = {
  zones: {
    presentation: { edge: true, reaches: ['application'], egress: [] },
    application: { edge: false, reaches: ['data'], egress: [] },
    data: { edge: false, reaches: [], egress: [] },
  },
}
