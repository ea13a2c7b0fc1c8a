import { Type, type Static } from 'typebox'

const Duration = Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$' })
type Optional<T extends Type.TProperties> = { [K in keyof T]: Type.TOptional<T[K]> }

/** Every key may be left out, and no other one is accepted. */
const section = <T extends Type.TProperties>(properties: T) =>
  Type.Object(
    Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, Type.Optional(value)]),
    ) as Optional<T>,
    { additionalProperties: false },
  )

/** The configuration file as people write it. */
export const ConfigSource = section({
  listen: Type.String(),
  images: section({
    registries: Type.Array(
      Type.Object(
        {
          host: Type.String({ pattern: '^[A-Za-z0-9.-]+(:[0-9]+)?$' }),
          insecure: Type.Optional(Type.Boolean()),
          username: Type.Optional(Type.String()),
          passwordFile: Type.Optional(Type.String()),
        },
        { additionalProperties: false },
      ),
    ),
    local: Type.Union([Type.Literal('deny'), Type.Literal('allow')]),
  }),
  nodes: section({
    heartbeat: Duration,
    suspectAfter: Duration,
    lostAfter: Duration,
    downAfter: Duration,
    lease: Duration,
    restartGrace: Duration,
    massLossBrake: Type.String({ pattern: '^[0-9]{1,3}%$' }),
    massLossHold: Duration,
  }),
  dns: section({ listen: Type.String() }),
  network: section({ services: Type.String(), services6: Type.String() }),
  ports: section({ range: Type.String({ pattern: '^[0-9]+-[0-9]+$' }) }),
  zones: section({ unenforced: Type.Union([Type.Literal('deny'), Type.Literal('allow')]) }),
  rebalance: section({ enabled: Type.Boolean(), maxAtOnce: Type.Integer({ minimum: 1, maximum: 100 }) }),
})
export type ConfigSource = Static<typeof ConfigSource>
