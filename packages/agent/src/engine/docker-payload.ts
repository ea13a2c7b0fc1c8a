import type { ContainerCreateOptions } from 'dockerode'

import type { ContainerSpec } from '../core/container-spec.ts'

/** What the hardened default leaves to the node's operator. */
export interface DockerLimits {
  readonly openFiles: number
  /** Of each writable directory; it counts against the container's memory. */
  readonly tmpfsBytes: number
  readonly logDriver: 'json-file' | 'local'
  readonly logBytes: number
  readonly logFiles: number
}

export const defaultLimits: DockerLimits = {
  openFiles: 16_384,
  tmpfsBytes: 64 * 1024 * 1024,
  logDriver: 'json-file',
  logBytes: 10 * 1024 * 1024,
  logFiles: 3,
}

/**
 * The hardened container: no capability but those that were asked for, no way to gain any, nothing writable but
 * tmpfs, an unprivileged user, limits on everything that can run out, and no restarts by the engine, because two
 * restarters would fight.
 */
export function createPayload(
  spec: ContainerSpec,
  limits: DockerLimits,
  hasCgroupNamespaces: boolean,
): ContainerCreateOptions {
  const { openFiles } = limits
  return {
    Image: spec.imageReference,
    // An entrypoint of the spec's own also drops the image's arguments.
    ...(spec.command.length > 0 ? { Entrypoint: [...spec.command] } : {}),
    ...(spec.args.length > 0 || spec.command.length > 0 ? { Cmd: [...spec.args] } : {}),
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...spec.labels },
    User: `${spec.user}:${spec.group}`,
    StopSignal: spec.stopSignal,
    ExposedPorts: Object.fromEntries(spec.ports.map((port) => [portKey(port), {}])),
    ...networking(spec),
    HostConfig: {
      NetworkMode: spec.network,
      ...resolver(spec),
      PortBindings: portBindings(spec),
      CapDrop: ['ALL'],
      CapAdd: [...spec.capabilities],
      SecurityOpt: ['no-new-privileges:true'],
      Privileged: false,
      ReadonlyRootfs: !spec.writableRoot,
      Tmpfs: tmpfs(spec, limits),
      Memory: spec.memoryBytes,
      // Equal to Memory: no swap.
      MemorySwap: spec.memoryBytes,
      NanoCpus: spec.cpuMillis * 1_000_000,
      PidsLimit: spec.pids,
      Ulimits: [{ Name: 'nofile', Soft: openFiles, Hard: openFiles }],
      IpcMode: 'private',
      ...(hasCgroupNamespaces ? { CgroupnsMode: 'private' } : {}),
      RestartPolicy: { Name: 'no' },
      LogConfig: {
        Type: limits.logDriver,
        Config: { 'max-size': String(limits.logBytes), 'max-file': String(limits.logFiles) },
      },
    },
  }
}

function resolver({ resolver: settings }: ContainerSpec): object {
  if (settings === null) return {}
  const { servers, search, options } = settings
  return { Dns: [...servers], DnsSearch: [...search], DnsOptions: [...options] }
}

function networking({ network, addresses }: ContainerSpec): ContainerCreateOptions {
  const { ipv4, ipv6 } = addresses
  if (ipv4 === null && ipv6 === null) return {}
  const chosen = {
    ...(ipv4 === null ? {} : { IPv4Address: ipv4 }),
    ...(ipv6 === null ? {} : { IPv6Address: ipv6 }),
  }
  return { NetworkingConfig: { EndpointsConfig: { [network]: { IPAMConfig: chosen } } } }
}

type PortSpec = ContainerSpec['ports'][number]

const portKey = (port: PortSpec): string => `${port.containerPort}/${port.protocol}`

function portBindings(spec: ContainerSpec): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const port of spec.ports) {
    const list = (bindings[portKey(port)] ??= [])
    list.push({ HostIp: port.address, HostPort: String(port.hostPort) })
  }
  return bindings
}

function tmpfs(spec: ContainerSpec, limits: DockerLimits): Record<string, string> {
  const options = `rw,noexec,nosuid,nodev,size=${limits.tmpfsBytes},mode=1777`
  return Object.fromEntries(spec.writable.map((path) => [path, options]))
}
