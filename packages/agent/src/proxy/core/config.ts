import type { OfferedPort } from '@bulkhead/shared'

/** What a node's proxy is to do: whole, as plain data, in an order that depends on nothing but its content. */
export interface ProxyConfig {
  readonly frontends: readonly Frontend[]
  readonly backends: readonly Backend[]
  /** The network of services, whose last address is the proxy's own. */
  readonly services: string
  readonly services6: string | null
}

export type Mode = OfferedPort['mode']

/** Where clients connect to. */
export interface Frontend {
  readonly name: string
  readonly mode: Mode
  readonly address: string
  readonly port: number
  /** Open to the outside of the cluster: what clients say of themselves is not believed. */
  readonly isEdge: boolean
  /** Certificates by name, the first for whoever names no host; null: no TLS. */
  readonly tls: readonly Certificate[] | null
  /** The first one that fits; only in mode http. */
  readonly routes: readonly Route[]
  /** Of what no route fits; null: it is refused. */
  readonly backend: string | null
}

export interface Certificate {
  /** `ENVIRONMENT/SECRET` */
  readonly secret: string
  /** Another one when the content is another one. */
  readonly digest: string
  /** For clients that ask for one of these. */
  readonly hosts: readonly string[]
}

export interface Route {
  /** Null: any. */
  readonly host: string | null
  /** Beginning of the path, whole segments of it. */
  readonly path: string
  readonly backend: string
}

export interface Backend {
  readonly name: string
  readonly mode: Mode
  readonly clientAddress: OfferedPort['clientAddress']
  readonly servers: readonly Server[]
}

/** An endpoint of an instance; its name is the instance's. */
export interface Server {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly weight: number
}
