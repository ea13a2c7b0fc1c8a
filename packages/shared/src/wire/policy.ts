import Type, { type Static } from 'typebox'

const Name = Type.String({ minLength: 1, maxLength: 255 })
const object = <T extends Type.TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })

/** Where containers of a zone may connect to outside the cluster. */
export const EgressRule = object({
  /** A network in CIDR form, IPv4 or IPv6. */
  to: Name,
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
  /** None: all ports. */
  ports: Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 })),
})
export type EgressRule = Static<typeof EgressRule>

export const ZoneRule = object({
  /** May publish to the outside. */
  edge: Type.Boolean(),
  /** Zones whose services its containers may look up and connect to, its own among them. */
  reaches: Type.Array(Name),
  egress: Type.Array(EgressRule),
})
export type ZoneRule = Static<typeof ZoneRule>

/** A node of the cluster as others have to know it. */
export const Peer = object({
  node: Name,
  address: Name,
  zones: Type.Array(Name),
  /** None: all. */
  environments: Type.Array(Name),
})
export type Peer = Static<typeof Peer>

/**
 * What a node has to know to let through exactly what is declared: whole, never in part. `peers` are the nodes that
 * share an environment with it, itself included.
 */
export const Policy = object({
  revision: Type.Integer(),
  /** A /16 of IPv4 that services have their addresses in, and the /96 of IPv6 that continues it; null: no IPv6. */
  services: Name,
  services6: Type.Union([Name, Type.Null()]),
  zones: Type.Record(Type.String(), ZoneRule),
  peers: Type.Array(Peer),
})
export type Policy = Static<typeof Policy>
