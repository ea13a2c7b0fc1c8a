import type { EngineFacts, NodeCapacity, RegistryAccess } from '@bulkhead/shared'

import type { ContainerSpec } from '../core/container-spec.ts'
import type { ContainerInfo } from '../core/container.ts'
import type { RefusalKind } from '../core/settle.ts'

type Labels = Readonly<Record<string, string>>

export type EngineEvent =
  /** Everything from here on is told: whoever lists now misses nothing. */
  | { readonly kind: 'connected' }
  | {
      readonly kind: 'started' | 'paused' | 'unpaused'
      readonly containerId: string
      readonly labels: Labels
      readonly atMs: number
    }
  | {
      readonly kind: 'died'
      readonly containerId: string
      readonly labels: Labels
      readonly atMs: number
      readonly exitCode: number
    }
  /** Comes before the `died` that it is the cause of. */
  | {
      readonly kind: 'oom'
      readonly containerId: string
      readonly labels: Labels
      readonly atMs: number
    }
  | {
      readonly kind: 'removed'
      readonly containerId: string
      readonly labels: Labels
      readonly atMs: number
    }
  /** A container, of ours or not, is off a network: told of each that ends, too. */
  | { readonly kind: 'disconnected'; readonly containerId: string }
  | { readonly kind: 'network-removed'; readonly network: string }

/** A piece of what a program wrote. */
export interface OutputChunk {
  readonly channel: 'stdout' | 'stderr'
  readonly data: Buffer
}

/** A command that runs inside a container. */
export interface Execution {
  /** Has to be read to its end; reading slowly slows the command down. */
  readonly output: AsyncIterable<OutputChunk>
  /** To be asked once the output has ended. */
  exitCode(): Promise<number>
}

/**
 * Failures are told apart by `kind`: `unreachable` (the engine does not answer, or not in time: nothing is known),
 * `no-such-container`, `no-such-image`, `conflict` (name taken, container running …), `port-taken`,
 * `no-space`, `pull-failed` (registry, credentials, name) and `refused` (everything else that it said no to).
 */
export class EngineError extends Error {
  readonly kind: RefusalKind
  constructor(kind: RefusalKind, message: string) {
    super(message)
    this.name = 'EngineError'
    this.kind = kind
  }
}

/** A bridge network on this machine. */
export interface NetworkInfo {
  /** Where the host is reached from its containers, in IPv4. */
  readonly gateway: string
  /** The same in all families. */
  readonly gateways: readonly string[]
  /** Name of the interface. */
  readonly device: string
  /** In CIDR form. */
  readonly subnets: readonly string[]
  /** Parts of the subnets, in CIDR form, in which a container has an address only when it was asked for. */
  readonly reserved: readonly string[]
}

/** What the agent needs of a container engine, and nothing more. Every call has a deadline of its own. */
export interface Engine {
  facts(): Promise<{ readonly engine: EngineFacts; readonly capacity: NodeCapacity }>
  ping(): Promise<void>
  /** All containers, running or not, that bear all the given labels. */
  list(labels: Labels): Promise<readonly ContainerInfo[]>
  /** By id or name. */
  inspect(container: string): Promise<ContainerInfo>
  create(spec: ContainerSpec): Promise<string>
  /** Nothing to do is no error. */
  start(containerId: string): Promise<void>
  /** Sends the signal to the container's first process. */
  signal(containerId: string, signal: string): Promise<void>
  /** Removes it, killing it first when it runs. Nothing to do is no error. */
  remove(containerId: string): Promise<void>
  pull(
    reference: string,
    access: RegistryAccess | null,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void>
  /** Makes the bridge network when it is not there. */
  ensureNetwork(name: string, labels: Labels): Promise<NetworkInfo>
  /** Takes all containers off the network, whether they run or not. Nothing to do is no error. */
  disconnectAll(name: string): Promise<void>
  /** Nothing to do is no error; one that is in use is a `conflict`. */
  removeNetwork(name: string): Promise<void>
  /**
   * Of containers with the labels, and of all networks. Ends (throws `unreachable`) when the connection breaks: the
   * caller then opens it again.
   */
  events(labels: Labels, signal: AbortSignal): AsyncIterable<EngineEvent>
  /** Starts a command inside. Aborting abandons it: an engine cannot kill it. */
  exec(containerId: string, command: readonly string[], signal: AbortSignal): Promise<Execution>
  /** What it has written, and with `follow` what it goes on to write; slow readers slow nothing but themselves. */
  logs(
    containerId: string,
    options: {
      readonly follow: boolean
      readonly sinceMs: number | null
      readonly tail: number | null
    },
    signal: AbortSignal,
  ): AsyncIterable<OutputChunk>
  stats(containerId: string): Promise<ContainerStats>
  /** Open TCP connections to these ports of the container, whoever has opened them; null: that cannot be told. */
  connections(containerId: string, ports: readonly number[]): Promise<number | null>
  /** Sets how many thousandths of a core a container may use from now on. */
  limitCpu(containerId: string, cpuMillis: number): Promise<void>
}

export interface ContainerStats {
  /** Thousandths of a core, averaged over about a second. */
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly pids: number
}
