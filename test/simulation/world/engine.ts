import type { EngineFacts, NodeCapacity } from '@bulkhead/shared'

import {
  EngineError,
  type ContainerInfo,
  type ContainerSpec,
  type EngineEvent,
} from '../../../packages/agent/src/index.ts'
import type { Random } from '../random.ts'
import type { Host } from './host.ts'
import { characterOf, startProgram, type Program } from './program.ts'
import type { Schedule, Scheduled } from './schedule.ts'

export interface SimContainer {
  info: ContainerInfo
  readonly spec: ContainerSpec
  program: Program | null
  end: Scheduled | null
}

export type ToldEvent = Exclude<EngineEvent, { kind: 'connected' }>

/** Events are told again to a listener that connects within this time. */
const replayMs = 1000
const eventsKept = 200

/** A container engine and its containers: what happens on the machine, whoever asked for it. */
export class SimEngine {
  readonly host: Host
  readonly random: Random
  readonly capacity: NodeCapacity
  readonly containers = new Map<string, SimContainer>()
  readonly images = new Set<string>()
  /** By name, the number that their addresses have. */
  readonly networks = new Map<string, number>()
  /** Containers that are somebody else's. */
  readonly foreign = new Set<string>()
  readonly listeners = new Set<(event: ToldEvent | null) => void>()
  up = true
  /** Pulls fail, or do not end, before this time. */
  pullsFailUntilMs = 0
  pullsStallUntilMs = 0
  /** No container can be made before this time. */
  fullUntilMs = 0
  /** How long a list is on its way after the engine has looked. */
  listsTakeMs = 0
  readonly #schedule: Schedule
  #recent: { readonly atMs: number; readonly event: ToldEvent }[] = []
  #serial = 0

  constructor(host: Host, schedule: Schedule, random: Random, capacity: NodeCapacity) {
    this.host = host
    this.#schedule = schedule
    this.random = random
    this.capacity = capacity
    this.#addForeign()
  }

  get nowMs(): number {
    return this.#schedule.nowMs
  }

  facts(): { engine: EngineFacts; capacity: NodeCapacity } {
    const engine = {
      version: '29',
      apiVersion: '1.47',
      os: 'debian',
      architecture: 'x86_64',
      kernel: '6',
      cgroup: 'v2',
      storage: 'overlay2',
    }
    return { engine, capacity: this.capacity }
  }

  running(): readonly SimContainer[] {
    return [...this.containers.values()].filter(({ info }) => info.state === 'running')
  }

  recentEvents(): readonly ToldEvent[] {
    return this.#recent
      .filter(({ atMs }) => atMs >= this.nowMs - replayMs)
      .map(({ event }) => event)
  }

  /** By id or name. */
  find(container: string): SimContainer {
    const found =
      this.containers.get(container) ??
      [...this.containers.values()].find(({ info }) => info.name === container)
    if (found) return found
    throw new EngineError('no-such-container', `No such container: ${container}`)
  }

  create(spec: ContainerSpec): string {
    if (this.nowMs < this.fullUntilMs) throw new EngineError('no-space', 'no space left on device')
    if (!this.images.has(spec.imageReference)) {
      throw new EngineError('no-such-image', `No such image: ${spec.imageReference}`)
    }
    if ([...this.containers.values()].some(({ info }) => info.name === spec.name)) {
      throw new EngineError('conflict', `The container name ${spec.name} is already in use`)
    }
    this.#serial += 1
    const id = `${this.host.name}-c${this.#serial}`
    const info: ContainerInfo = {
      id,
      name: spec.name,
      labels: spec.labels,
      state: 'created',
      startedAtMs: null,
      finishedAtMs: null,
      exitCode: null,
      oomKilled: false,
      error: '',
      address: '',
      isDetached: false,
    }
    this.containers.set(id, { info, spec, program: null, end: null })
    return id
  }

  start(id: string): void {
    const container = this.find(id)
    if (container.info.state === 'running') return
    const taken = container.spec.ports.find((port) =>
      this.running().some(({ spec }) =>
        spec.ports.some(({ hostPort }) => hostPort === port.hostPort),
      ),
    )
    if (taken) throw new EngineError('port-taken', `port ${taken.hostPort} is already allocated`)
    const program = startProgram(
      characterOf(container.spec.imageReference),
      this.nowMs,
      this.random,
    )
    container.program = program
    const startedAtMs = this.host.nowMs()
    const address = this.#freeAddress(container.spec.network)
    container.info = {
      ...container.info,
      state: 'running',
      startedAtMs,
      finishedAtMs: null,
      exitCode: null,
      address,
    }
    if (program.endsAtMs !== null) this.#endAt(container, program.endsAtMs, program.exitCode)
    this.#tell(container, { kind: 'started' })
  }

  signal(id: string, signal: string): void {
    const container = this.find(id)
    const { program } = container
    if (container.info.state !== 'running' || !program) {
      throw new EngineError('conflict', `container ${id} is not running`)
    }
    if (signal === 'SIGKILL') this.#endAt(container, this.nowMs + 5, 137)
    else if (program.stopMs !== null && !program.hangs) {
      this.#endAt(container, this.nowMs + program.stopMs * this.host.slowness, 143)
    }
  }

  remove(id: string): void {
    const container = this.containers.get(id)
    if (!container) return
    if (container.info.state === 'running') this.end(container, 137)
    this.containers.delete(id)
    this.#tell(container, { kind: 'removed' })
  }

  /** The container's program ends. */
  end(container: SimContainer, exitCode: number, oomKilled = false): void {
    if (container.info.state !== 'running') return
    if (container.end) container.end.cancelled = true
    container.program = null
    const finishedAtMs = this.host.nowMs()
    container.info = {
      ...container.info,
      state: 'exited',
      exitCode,
      finishedAtMs,
      oomKilled,
      address: '',
    }
    if (oomKilled) this.#tell(container, { kind: 'oom' })
    this.#tell(container, { kind: 'died', exitCode })
  }

  /** The engine's own process ends; whoever listens learns that. */
  stop(containersDie: boolean): void {
    this.up = false
    for (const listener of this.listeners) listener(null)
    this.listeners.clear()
    if (!containersDie) return
    for (const container of this.running()) {
      if (!this.foreign.has(container.info.id)) this.end(container, 137)
    }
  }

  /** What it keeps of containers is gone, and the containers with it: somebody has cleared its directory. */
  loseContainers(): void {
    for (const { info } of this.containers.values())
      if (!this.foreign.has(info.id)) this.remove(info.id)
    this.#recent = []
  }

  /** The stream of events breaks, and nothing else. */
  breakEvents(): void {
    for (const listener of this.listeners) listener(null)
    this.listeners.clear()
  }

  /** On every machine runs something that is none of our business, once under a cluster's labels, too. */
  #addForeign(): void {
    const labels = {
      'bulkhead.cluster': 'another',
      'bulkhead.node': this.host.name,
      'bulkhead.instance': 'web-0-abcdefgh',
    }
    for (const [name, own] of [
      ['theirs', {}],
      ['of-another-cluster', labels],
    ] as const) {
      const id = `${this.host.name}-${name}`
      const info: ContainerInfo = {
        id,
        name,
        labels: own,
        state: 'running',
        startedAtMs: 0,
        finishedAtMs: null,
        exitCode: null,
        oomKilled: false,
        error: '',
        address: '',
        isDetached: false,
      }
      this.containers.set(id, {
        info,
        spec: { ports: [] } as unknown as ContainerSpec,
        program: null,
        end: null,
      })
      this.foreign.add(id)
    }
  }

  #endAt(container: SimContainer, atMs: number, exitCode: number): void {
    if (container.end && !container.end.cancelled && container.end.atMs <= atMs) return
    if (container.end) container.end.cancelled = true
    container.end = this.#schedule.at(atMs, `${container.info.id} ends`, () =>
      this.end(container, exitCode),
    )
  }

  /** Bridges give an address that has become free to the next container. */
  #freeAddress(network: string): string {
    const taken = new Set(this.running().map(({ info }) => info.address))
    const number = this.networks.get(network) ?? 0
    for (let last = 2; ; last++) {
      const address = `172.20.${number}.${last}`
      if (!taken.has(address)) return address
    }
  }

  #tell(
    { info }: SimContainer,
    what: { kind: 'started' | 'removed' | 'oom' } | { kind: 'died'; exitCode: number },
  ): void {
    const base = { containerId: info.id, labels: info.labels, atMs: this.host.nowMs() }
    const event: ToldEvent = { ...what, ...base }
    this.#recent = [...this.#recent.slice(-eventsKept), { atMs: this.nowMs, event }]
    if (!this.up) return
    for (const listener of this.listeners) listener(event)
  }
}
