/** The bridge of one environment and zone on this node, as the kernel sees it. */
export interface Bridge {
  /** Name of the engine's network. */
  readonly network: string
  readonly environment: string
  readonly zone: string
  /** Name of the network interface. */
  readonly device: string
  /** Addresses of the host on it, where containers find DNS and discovery. */
  readonly gateways: readonly string[]
  /** In CIDR form; a container has its addresses in them. */
  readonly subnets: readonly string[]
  /** Parts of the subnets that only containers of exclusive services have addresses in, in CIDR form. */
  readonly fenced: readonly string[]
  /** TCP port of discovery at the gateways. */
  readonly discoveryPort: number
}

/** A port that the node publishes for an instance. */
export interface Publication {
  readonly environment: string
  readonly zone: string
  readonly address: string
  readonly protocol: 'tcp' | 'udp'
  readonly hostPort: number
  /** The spec names the number, so that others can know it. */
  readonly isFixed: boolean
}
