import { type EngineFacts, type NodeCapacity, sleep } from '@bulkhead/shared'

import type { ContainerSpec } from '../../src/core/container-spec.ts'
import { type ContainerInfo, isAlive, newContainer } from '../../src/core/container.ts'
import {
  type ContainerStats,
  type Engine,
  EngineError,
  type EngineEvent,
  type NetworkInfo,
  type Execution,
  type OutputChunk,
} from '../../src/engine/engine.ts'
import type { FakeClock } from './fake-clock.ts'

type Labels = Readonly<Record<string, string>>

/** An engine in memory: as honest as the real one about what it does, and as quiet about why it does not. */
export class FakeEngine implements Engine {
  readonly containers = new Map<string, ContainerInfo>()
  readonly specs = new Map<string, ContainerSpec>()
  readonly images = new Set(['bb:1'])
  readonly networks = new Set<string>()
  readonly calls: string[] = []
  readonly logLines = new Map<string, string>()
  version = '1'
  /** What the next calls of a name throw. */
  readonly failures = new Map<string, EngineError[]>()
  readonly #clock: FakeClock
  #listeners = new Set<(event: EngineEvent | null) => void>()
  #down = false
  #serial = 0

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  fail(call: string, ...errors: readonly EngineError[]): void {
    this.failures.set(call, [...errors])
  }

  /** The engine's socket is gone, or there again; containers live on. */
  set down(down: boolean) {
    this.#down = down
    if (!down) return
    for (const listener of this.#listeners) listener(null)
  }

  running(): readonly ContainerInfo[] {
    return [...this.containers.values()].filter(({ state }) => state === 'running')
  }

  /** A container of an instance ends by itself. */
  crash(containerId: string, exitCode: number, options: { readonly oom?: boolean } = {}): void {
    const container = this.#get(containerId)
    const base = { containerId, labels: container.labels, atMs: this.#clock.nowMs() }
    if (options.oom) this.#emit({ kind: 'oom', ...base })
    const oomKilled = options.oom ?? false
    const finishedAtMs = this.#clock.nowMs()
    this.#put({ ...container, state: 'exited', exitCode, finishedAtMs, oomKilled, address: '' })
    this.#emit({ kind: 'died', ...base, exitCode })
  }

  /** Somebody removes it behind the agent's back, with or without the engine telling. */
  vanish(containerId: string, options: { readonly silently?: boolean } = {}): void {
    const { labels } = this.#get(containerId)
    this.containers.delete(containerId)
    if (options.silently) return
    this.#emit({ kind: 'removed', containerId, labels, atMs: this.#clock.nowMs() })
  }

  /** Somebody pauses a container, or lets it go on. */
  pause(containerId: string, isPaused: boolean): void {
    const container = this.#get(containerId)
    const { labels } = container
    this.#put({ ...container, state: isPaused ? 'paused' : 'running' })
    const kind = isPaused ? 'paused' : 'unpaused'
    this.#emit({ kind, containerId, labels, atMs: this.#clock.nowMs() })
  }

  /** Somebody disconnects a container from its network. */
  disconnect(containerId: string): void {
    this.#put({ ...this.#get(containerId), address: '', isDetached: true })
    this.#emit({ kind: 'disconnected', containerId })
  }

  /** Somebody removes a network that nothing runs on. */
  removeNetworkByHand(network: string): void {
    this.networks.delete(network)
    this.#emit({ kind: 'network-removed', network })
  }

  async facts(): Promise<{ engine: EngineFacts; capacity: NodeCapacity }> {
    this.#call('facts')
    const engine = {
      version: this.version,
      apiVersion: '1.41',
      os: 'debian',
      architecture: 'x86_64',
      kernel: '6',
      cgroup: 'v2',
      storage: 'overlay2',
    }
    return { engine, capacity: { cpuMillis: 2000, memoryBytes: 8e9 } }
  }

  async ping(): Promise<void> {
    this.#call('ping')
  }

  async list(labels: Labels): Promise<readonly ContainerInfo[]> {
    this.#call('list')
    return [...this.containers.values()]
      .filter((container) =>
        Object.entries(labels).every(([key, value]) => container.labels[key] === value),
      )
      .map((container) => ({ ...container, startedAtMs: null, finishedAtMs: null }))
  }

  async inspect(container: string): Promise<ContainerInfo> {
    this.#call('inspect')
    const named = [...this.containers.values()].find(({ name }) => name === container)
    return named ?? this.#get(container)
  }

  async create(spec: ContainerSpec): Promise<string> {
    this.#call('create')
    if (!this.images.has(spec.imageReference)) throw new EngineError('no-such-image', 'no image')
    this.#findNetwork(spec.network)
    const isTaken = [...this.containers.values()].some(({ name }) => name === spec.name)
    if (isTaken) throw new EngineError('conflict', `the name ${spec.name} is taken`)
    this.#serial += 1
    const id = `c${this.#serial}`
    this.specs.set(id, spec)
    this.#put(newContainer({ id, name: spec.name, labels: spec.labels }))
    return id
  }

  async start(containerId: string): Promise<void> {
    this.#call('start')
    const container = this.#get(containerId)
    if (container.state === 'running') return
    this.#findNetwork(this.specs.get(containerId)?.network ?? '')
    const startedAtMs = this.#clock.nowMs()
    const address = `172.20.1.${containerId.slice(1)}`
    this.#put({ ...container, state: 'running', startedAtMs, exitCode: null, address })
    this.#emit({ kind: 'started', containerId, labels: container.labels, atMs: startedAtMs })
  }

  async signal(containerId: string, signal: string): Promise<void> {
    this.#call(`signal ${signal}`)
    if (!isAlive(this.#get(containerId))) throw new EngineError('conflict', 'not running')
    const isObeyed = signal === 'SIGKILL' || this.obeys
    if (isObeyed) this.crash(containerId, signal === 'SIGKILL' ? 137 : 143)
  }

  pullMs = 0

  /** Whether programs end on other signals than SIGKILL. */
  obeys = true

  async remove(containerId: string): Promise<void> {
    this.#call('remove')
    if (this.containers.has(containerId)) this.vanish(containerId)
  }

  /** What is told of connections to a container; null unless a test says else. */
  openConnections: number | null = null

  async connections(): Promise<number | null> {
    return this.openConnections
  }

  async limitCpu(containerId: string, cpuMillis: number): Promise<void> {
    this.#call(`limitCpu ${containerId} ${cpuMillis}`)
  }

  async pull(
    reference: string,
    _access: unknown,
    onProgress: (text: string) => void,
  ): Promise<void> {
    this.#call(`pull ${reference}`)
    if (this.pullMs > 0) {
      await sleep(this.#clock, this.pullMs / 2)
      onProgress('1 of 2 layers')
      await sleep(this.#clock, this.pullMs / 2)
    }
    this.images.add(reference)
  }

  async ensureNetwork(name: string): Promise<NetworkInfo> {
    this.#call('ensureNetwork')
    this.networks.add(name)
    return {
      gateway: '172.20.0.1',
      gateways: ['172.20.0.1'],
      device: 'bh-fake',
      subnets: ['172.20.0.0/16'],
      reserved: ['172.20.128.0/17'],
    }
  }

  async disconnectAll(name: string): Promise<void> {
    this.#call(`disconnectAll ${name}`)
    for (const { id, state } of this.containers.values())
      if (state === 'running') this.disconnect(id)
  }

  async removeNetwork(name: string): Promise<void> {
    this.#call(`removeNetwork ${name}`)
  }

  async *events(_labels: Labels, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    this.#call('events')
    const queue: (EngineEvent | null)[] = [{ kind: 'connected' }]
    let wake = (): void => {}
    const listener = (event: EngineEvent | null): void => {
      queue.push(event)
      wake()
    }
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => listener(null), { once: true })
    try {
      for (;;) {
        const event = queue.shift()
        if (event === null) throw new EngineError('unreachable', 'the stream ended')
        if (event) yield event
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.#listeners.delete(listener)
    }
  }

  async exec(containerId: string, command: readonly string[]): Promise<Execution> {
    this.#call('exec')
    this.#get(containerId)
    const data = Buffer.from(`${command.join(' ')}\n`)
    return { output: from([{ channel: 'stdout', data }]), exitCode: async () => 7 }
  }

  logs(containerId: string): AsyncIterable<OutputChunk> {
    this.#call('logs')
    const data = Buffer.from(this.logLines.get(containerId) ?? '')
    return from(data.length === 0 ? [] : [{ channel: 'stderr', data }])
  }

  async stats(): Promise<ContainerStats> {
    this.#call('stats')
    return { cpuMillis: 12, memoryBytes: 34, pids: 1 }
  }

  #call(name: string): void {
    this.calls.push(name)
    if (this.#down) throw new EngineError('unreachable', 'connect ENOENT docker.sock')
    const [error, ...rest] = this.failures.get(name) ?? []
    this.failures.set(name, rest)
    if (error) throw error
  }

  #get(id: string): ContainerInfo {
    const container = this.containers.get(id)
    if (!container) throw new EngineError('no-such-container', `no container ${id}`)
    return container
  }

  #findNetwork(network: string): void {
    if (!this.networks.has(network))
      throw new EngineError('conflict', `network ${network} not found`)
  }

  #put(container: ContainerInfo): void {
    this.containers.set(container.id, container)
  }

  #emit(event: EngineEvent): void {
    if (this.#down) return
    for (const listener of this.#listeners) listener(event)
  }
}

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
