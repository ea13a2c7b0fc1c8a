/** Everything a container is created from, free of any engine's vocabulary where that is possible. */
export interface ContainerSpec {
  readonly name: string
  readonly imageReference: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly network: string
  /** How names are found in it; null: as the engine has it. */
  readonly resolver: {
    readonly servers: readonly string[]
    /** Domains that short names are completed with. */
    readonly search: readonly string[]
    /** As in resolv.conf(5). */
    readonly options: readonly string[]
  } | null
  /** Its own choice of addresses on it; null: the engine's. */
  readonly addresses: { readonly ipv4: string | null; readonly ipv6: string | null }
  readonly ports: readonly {
    readonly containerPort: number
    readonly protocol: 'tcp' | 'udp'
    readonly address: string
    readonly hostPort: number
  }[]
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly pids: number
  readonly user: number
  readonly group: number
  readonly writable: readonly string[]
  readonly writableRoot: boolean
  readonly capabilities: readonly string[]
  readonly stopSignal: string
}
