import Type, { type Static } from 'typebox'

const Name = Type.String({ minLength: 1, maxLength: 255 })
const PortNumber = Type.Integer({ minimum: 1, maximum: 65_535 })
const object = <T extends Type.TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })

/** The largest weight of an endpoint; 0: it takes no new traffic, but what it has may end. */
export const maxWeight = 256

export const Endpoint = object({
  instance: Name,
  node: Name,
  zone: Name,
  /** Name of the service's port. */
  port: Name,
  address: Name,
  hostPort: Type.Integer(),
  /** Share of new traffic beside the other endpoints of the same port. */
  weight: Type.Integer({ minimum: 0, maximum: maxWeight }),
})
export type Endpoint = Static<typeof Endpoint>

/** How one port of a service is offered at the service's own address. */
export const OfferedPort = object({
  /** The number under which clients reach it: the container's port. */
  port: PortNumber,
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
  /** `http`: requests are spread one by one; `tcp`: connections are. */
  mode: Type.Union([Type.Literal('tcp'), Type.Literal('http')]),
  /** How the service is told its client's address: not at all, X-Forwarded-For, or the PROXY protocol (version 2). */
  clientAddress: Type.Union([Type.Literal('none'), Type.Literal('header'), Type.Literal('proxy')]),
})
export type OfferedPort = Static<typeof OfferedPort>

/** Where the edge zone offers a port to the outside. */
export const Exposure = object({
  /** Name of the service's port. */
  port: Name,
  listen: PortNumber,
  /** Host name that requests are for; null: any. */
  host: Type.Union([Name, Type.Null()]),
  /** Beginning of the path of requests. */
  path: Type.String({ maxLength: 1024 }),
  /** Name of the secret with certificate chain and key; null: no TLS. */
  tlsSecret: Type.Union([Name, Type.Null()]),
})
export type Exposure = Static<typeof Exposure>

/**
 * All endpoints of one service that serve: whole, never edited in part. What runs outside containers (an
 * ExternalService) has a table of the same form, whose endpoints are on no node of ours.
 */
export const EndpointTable = object({
  service: Name,
  zone: Name,
  revision: Type.Integer(),
  /** Place in the network of services (see `serviceAddress`); null: it has no address of its own. */
  addressIndex: Type.Union([Type.Integer({ minimum: 1, maximum: 65_534 }), Type.Null()]),
  ports: Type.Record(Type.String(), OfferedPort),
  expose: Type.Array(Exposure),
  /** Not in containers of ours: `node` of its endpoints is empty of meaning. */
  external: Type.Boolean(),
  endpoints: Type.Array(Endpoint),
})
export type EndpointTable = Static<typeof EndpointTable>
