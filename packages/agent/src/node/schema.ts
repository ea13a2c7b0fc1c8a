import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false } as const
const object = <T extends Type.TProperties>(properties: T) => Type.Object(properties, closed)
const Names = Type.Array(Type.String({ pattern: '^[a-z]([a-z0-9-]*[a-z0-9])?$' }))
const Labels = Type.Record(Type.String(), Type.String())

/** What makes a node what it is; kept, so that a restarted agent needs nothing but its data directory. */
const settings = {
  zones: Names,
  environments: Names,
  labels: Labels,
  host: Type.String({ minLength: 1 }),
  docker: Type.String({ pattern: '^unix:///' }),
  address: Type.String({ minLength: 1 }),
}

const Tuning = object({
  /** Containers that are created and started at once. */
  startsAtOnce: Type.Integer({ minimum: 1, maximum: 64 }),
  /** Successors that are kept ready; 0: none. */
  preparedSuccessors: Type.Integer({ minimum: 0, maximum: 10_000 }),
  discoveryPort: Type.Integer({ minimum: 1, maximum: 65_535 }),
  /** Whether names outside the cluster are looked up for containers; or the zones for which they are. */
  dnsForward: Type.Union([Type.Boolean(), Names]),
  /** The file that names where they are looked up. */
  resolvConf: Type.String({ pattern: '^/' }),
  /** Where exposed services are offered, such as 0.0.0.0; none: at the node's own address only. */
  edgeAddresses: Type.Array(
    Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })]),
    { maxItems: 8 },
  ),
  openFiles: Type.Integer({ minimum: 64 }),
  tmpfsBytes: Type.Integer({ minimum: 65_536 }),
  logDriver: Type.Union([Type.Literal('json-file'), Type.Literal('local')]),
  logBytes: Type.Integer({ minimum: 65_536 }),
  logFiles: Type.Integer({ minimum: 1, maximum: 100 }),
  logLevel: Type.Union([
    Type.Literal('trace'),
    Type.Literal('debug'),
    Type.Literal('info'),
    Type.Literal('warn'),
    Type.Literal('error'),
  ]),
})
export type Tuning = Static<typeof Tuning>

/** The file that `--config` names. Every key is optional, unknown ones are refused. */
export const ConfigFile = Type.Partial(
  object({
    server: Type.String(),
    name: Type.String(),
    ...settings,
    tuning: Type.Partial(Tuning, closed),
  }),
  closed,
)
export type ConfigFile = Static<typeof ConfigFile>

/** DATA/agent.yaml: who this agent is, and how it was started last. */
export const Identity = object({
  server: Type.String(),
  token: Type.String({ minLength: 1 }),
  cluster: Type.String({ minLength: 1 }),
  node: Type.String({ minLength: 1 }),
  ...settings,
})
export type Identity = Static<typeof Identity>

export const JoinAnswer = Type.Object({
  token: Type.String({ minLength: 1 }),
  node: Type.String({ minLength: 1 }),
  cluster: Type.String({ minLength: 1 }),
})
export type JoinAnswer = Static<typeof JoinAnswer>
