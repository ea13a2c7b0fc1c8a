import type { Readable } from 'node:stream'

import type { Clock, EngineFacts, NodeCapacity, RegistryAccess } from '@bulkhead/shared'
import Docker, { type DockerVersion } from 'dockerode'

import type { ContainerSpec } from '../core/container-spec.ts'
import type { ContainerInfo } from '../core/container.ts'
import { connectionsOf } from './connections.ts'
import { within } from './deadline.ts'
import { get, getStream, hasStatus } from './docker-call.ts'
import { toEngineError } from './docker-errors.ts'
import { eventFilters, parseEvent } from './docker-events.ts'
import { type DockerFacts, fromInspect, fromSummary, toFacts } from './docker-info.ts'
import { disconnectAll, ensureBridge, removeBridge } from './docker-network.ts'
import { createPayload, type DockerLimits } from './docker-payload.ts'
import { followPull } from './docker-pull.ts'
import { type DockerStats, toStats } from './docker-stats.ts'
import { demultiplex, jsonLines } from './docker-stream.ts'
import {
  type ContainerStats,
  type Engine,
  EngineError,
  type EngineEvent,
  type Execution,
  type NetworkInfo,
  type OutputChunk,
} from './engine.ts'

/** Deadlines. The slow ones are what an engine may take while it starts a hundred containers. */
const pingMs = 5000
const quickMs = 10_000
const slowMs = 120_000

/** The newest API whose answers this code was written for; newer engines still speak it. */
const newestApi = 47
/** Since this version a container can have a cgroup namespace of its own. */
const cgroupNamespaceApi = 41

const nanosPerMilli = 1_000_000

export interface DockerEngineOptions {
  readonly socketPath: string
  readonly limits: DockerLimits
  /** Bridges get IPv6, too. */
  readonly withIpv6: boolean
}

type Labels = Readonly<Record<string, string>>

const minorOf = (version: string): number => Number(version.split('.')[1] ?? 0)

const labelFilter = (labels: Labels): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`)

/** A Docker engine behind a Unix socket. */
export class DockerEngine implements Engine {
  readonly #clock: Clock
  readonly #docker: Docker
  readonly #limits: DockerLimits
  readonly #withIpv6: boolean
  #api: number | null = null
  /** Where the last event stream left off. */
  #since: string | null = null

  constructor(deps: { readonly clock: Clock }, options: DockerEngineOptions) {
    this.#clock = deps.clock
    this.#limits = options.limits
    this.#withIpv6 = options.withIpv6
    // No agent of our own: the client formats its options on every request, and an agent is a large thing.
    this.#docker = new Docker({ socketPath: options.socketPath })
  }

  async facts(): Promise<{ engine: EngineFacts; capacity: NodeCapacity }> {
    return within(this.#clock, quickMs, async (abortSignal) => {
      await this.#negotiate(abortSignal)
      const info = await get<Omit<DockerFacts, 'ApiVersion'>>(this.#docker, '/info', abortSignal)
      return toFacts({ ...info, ApiVersion: `1.${this.#api}` })
    })
  }

  async ping(): Promise<void> {
    await within(this.#clock, pingMs, (abortSignal) => get(this.#docker, '/_ping', abortSignal))
  }

  async list(labels: Labels): Promise<readonly ContainerInfo[]> {
    return within(this.#clock, slowMs, async (abortSignal) => {
      const filters = { label: labelFilter(labels) }
      const found = await this.#docker.listContainers({ all: true, filters, abortSignal })
      return found.map(fromSummary)
    })
  }

  async inspect(container: string): Promise<ContainerInfo> {
    return within(this.#clock, slowMs, async (abortSignal) =>
      fromInspect(await this.#docker.getContainer(container).inspect({ abortSignal })),
    )
  }

  async create(spec: ContainerSpec): Promise<string> {
    return within(this.#clock, slowMs, async (abortSignal) => {
      const api = this.#api ?? (await this.#negotiate(abortSignal))
      const body = createPayload(spec, this.#limits, api >= cgroupNamespaceApi)
      // Without the two apart, the client repeats the whole body in the query.
      const options = { _query: { name: spec.name }, _body: body, abortSignal }
      return (await this.#docker.createContainer(options)).id
    })
  }

  async start(containerId: string): Promise<void> {
    await within(this.#clock, slowMs, async (abortSignal) => {
      try {
        await this.#docker.getContainer(containerId).start({ abortSignal })
      } catch (error) {
        if (!hasStatus(error, 304)) throw error
      }
    })
  }

  async limitCpu(containerId: string, cpuMillis: number): Promise<void> {
    await within(this.#clock, slowMs, (abortSignal) =>
      this.#docker
        .getContainer(containerId)
        .update({ NanoCpus: cpuMillis * nanosPerMilli, abortSignal }),
    )
  }

  async connections(containerId: string, ports: readonly number[]): Promise<number | null> {
    const pid = await within(this.#clock, quickMs, async (abortSignal) => {
      const { State } = await this.#docker.getContainer(containerId).inspect({ abortSignal })
      return State.Pid
    })
    return pid > 0 ? connectionsOf(containerId, pid, ports) : null
  }

  async signal(containerId: string, signal: string): Promise<void> {
    await within(this.#clock, slowMs, (abortSignal) =>
      this.#docker.getContainer(containerId).kill({ signal, abortSignal }),
    )
  }

  async remove(containerId: string): Promise<void> {
    await within(this.#clock, slowMs, async (abortSignal) => {
      try {
        const container = this.#docker.getContainer(containerId)
        await container.remove({ force: true, v: true, abortSignal })
      } catch (error) {
        if (!hasStatus(error, 404)) throw error
      }
    })
  }

  async pull(
    reference: string,
    access: RegistryAccess | null,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const controller = new AbortController()
    const abortSignal = AbortSignal.any([signal, controller.signal])
    const login = access?.username != null && access.password !== null
    const authconfig = {
      username: access?.username ?? '',
      password: access?.password ?? '',
      serveraddress: access?.host ?? '',
    }
    try {
      const options = { ...(login ? { authconfig } : {}), abortSignal }
      const stream = (await this.#docker.pull(reference, options)) as Readable
      await followPull(this.#clock, jsonLines(stream), onProgress, () => controller.abort())
    } catch (cause) {
      const error = toEngineError(cause)
      if (error.kind === 'unreachable' || error.kind === 'no-space') throw error
      throw new EngineError('pull-failed', error.message)
    }
  }

  ensureNetwork(name: string, labels: Labels): Promise<NetworkInfo> {
    return within(this.#clock, slowMs, (abortSignal) =>
      ensureBridge(this.#docker, name, labels, this.#withIpv6, abortSignal),
    )
  }

  disconnectAll(name: string): Promise<void> {
    return within(this.#clock, slowMs, (signal) => disconnectAll(this.#docker, name, signal))
  }

  removeNetwork(name: string): Promise<void> {
    return within(this.#clock, slowMs, (signal) => removeBridge(this.#docker, name, signal))
  }

  async *events(labels: Labels, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const controller = new AbortController()
    const abortSignal = AbortSignal.any([signal, controller.signal])
    try {
      const stream = await this.#openEvents(abortSignal)
      yield { kind: 'connected' }
      for await (const value of jsonLines(stream)) {
        const parsed = parseEvent(value, labels)
        if (parsed === null) continue
        this.#since = parsed.since
        yield parsed.event
      }
      throw new EngineError('unreachable', 'the engine closed the stream of events')
    } catch (error) {
      throw toEngineError(error)
    } finally {
      controller.abort()
    }
  }

  async exec(
    containerId: string,
    command: readonly string[],
    signal: AbortSignal,
  ): Promise<Execution> {
    const late = new AbortController()
    const abortSignal = AbortSignal.any([signal, late.signal])
    const attach = { AttachStdout: true, AttachStderr: true, abortSignal }
    try {
      const { exec, stream } = await within(this.#clock, quickMs, async () => {
        const container = this.#docker.getContainer(containerId)
        const made = await container.exec({ Cmd: [...command], ...attach })
        return { exec: made, stream: await made.start({ Detach: false, Tty: false, abortSignal }) }
      })
      return {
        output: translated(demultiplex(closing(stream, signal))),
        exitCode: () =>
          within(this.#clock, quickMs, async (inspectSignal) => {
            const { ExitCode } = await exec.inspect({ abortSignal: inspectSignal })
            return ExitCode ?? -1
          }),
      }
    } catch (error) {
      late.abort()
      throw toEngineError(error)
    }
  }

  async *logs(
    containerId: string,
    options: { follow: boolean; sinceMs: number | null; tail: number | null },
    signal: AbortSignal,
  ): AsyncGenerator<OutputChunk> {
    const controller = new AbortController()
    const abortSignal = AbortSignal.any([signal, controller.signal])
    const query = {
      follow: options.follow,
      stdout: true,
      stderr: true,
      ...(options.sinceMs === null ? {} : { since: options.sinceMs / 1000 }),
      ...(options.tail === null ? {} : { tail: options.tail }),
    }
    try {
      const path = `/containers/${containerId}/logs`
      const open = () => getStream(this.#docker, path, query, abortSignal)
      yield* demultiplex(await within(this.#clock, quickMs, open))
    } catch (error) {
      throw toEngineError(error)
    } finally {
      controller.abort()
    }
  }

  async stats(containerId: string): Promise<ContainerStats> {
    return within(this.#clock, quickMs, async (abortSignal) => {
      const path = `/containers/${containerId}/stats`
      return toStats(await get<DockerStats>(this.#docker, path, abortSignal, { stream: false }))
    })
  }

  /** Settles on the newest version of the API that both sides know. */
  async #negotiate(abortSignal: AbortSignal): Promise<number> {
    // Asked without a version: one that was negotiated with an engine since replaced may be refused.
    Object.assign(this.#docker.modem, { version: undefined })
    const found = await get<DockerVersion>(this.#docker, '/version', abortSignal)
    const newest = Math.min(minorOf(found.ApiVersion), newestApi)
    this.#api = Math.max(newest, minorOf(found.MinAPIVersion))
    Object.assign(this.#docker.modem, { version: `v1.${this.#api}` })
    return this.#api
  }

  /** Replays from where the last stream broke off; the first one begins a little in the past. */
  async #openEvents(signal: AbortSignal): Promise<Readable> {
    return within(this.#clock, quickMs, async () => {
      await this.#negotiate(signal)
      const since = this.#since ?? String(Math.trunc(this.#clock.nowMs() / 1000) - 1)
      return getStream(this.#docker, '/events', { since, filters: eventFilters }, signal)
    })
  }
}

async function* closing(stream: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const destroy = (): void => void stream.destroy(new Error('abandoned'))
  signal.addEventListener('abort', destroy, { once: true })
  try {
    yield* stream as AsyncIterable<Buffer>
  } finally {
    signal.removeEventListener('abort', destroy)
    stream.destroy()
  }
}

async function* translated<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    throw toEngineError(error)
  }
}
