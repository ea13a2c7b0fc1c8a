import type { EngineFacts, NodeCapacity } from '@bulkhead/shared'

import {
  type ContainerInfo,
  type ContainerSpec,
  type ContainerStats,
  type Engine,
  EngineError,
  type EngineEvent,
  type NetworkInfo,
  type Execution,
  type OutputChunk,
} from '../../../packages/agent/src/index.ts'
import type { SimEngine, ToldEvent } from './engine.ts'
import type { Process } from './process.ts'
import { characterOf } from './program.ts'

type Labels = Readonly<Record<string, string>>

export interface EngineClientDeps {
  readonly engine: SimEngine
  readonly process: Process
  /** Told of every call when it takes effect. */
  readonly onCall: (call: string, container: string) => void
}

/** A call that is on its way when the engine goes away is given up after this long. */
const progressEveryMs = 1000

/** The engine as one agent process reaches it: calls take time, and may be lost on the way there or back. */
export class EngineClient implements Engine {
  readonly #deps: EngineClientDeps

  constructor(deps: EngineClientDeps) {
    this.#deps = deps
  }

  facts(): Promise<{ engine: EngineFacts; capacity: NodeCapacity }> {
    return this.#call('facts', '', 5, 20, (engine) => engine.facts())
  }

  ping(): Promise<void> {
    return this.#call('ping', '', 1, 5, () => {})
  }

  list(labels: Labels): Promise<readonly ContainerInfo[]> {
    const look = (engine: SimEngine): readonly ContainerInfo[] =>
      [...engine.containers.values()]
        .map(({ info }) => ({ ...info, startedAtMs: null, finishedAtMs: null, exitCode: null }))
        .filter((info) =>
          Object.entries(labels).every(([key, value]) => info.labels[key] === value),
        )
    return this.#call('list', '', 3, 20, look, this.#deps.engine.listsTakeMs)
  }

  inspect(container: string): Promise<ContainerInfo> {
    return this.#call('inspect', container, 2, 15, (engine) => engine.find(container).info)
  }

  create(spec: ContainerSpec): Promise<string> {
    return this.#call('create', spec.name, 20, 120, (engine) => engine.create(spec))
  }

  start(containerId: string): Promise<void> {
    return this.#call('start', containerId, 40, 250, (engine) => engine.start(containerId))
  }

  signal(containerId: string, signal: string): Promise<void> {
    return this.#call(`signal ${signal}`, containerId, 2, 20, (engine) =>
      engine.signal(containerId, signal),
    )
  }

  remove(containerId: string): Promise<void> {
    return this.#call('remove', containerId, 10, 80, (engine) => engine.remove(containerId))
  }

  connections(containerId: string): Promise<number | null> {
    return this.#call('connections', containerId, 1, 10, (engine) => {
      engine.find(containerId)
      // Clients finish within a few looks.
      return engine.random.chance(0.5) ? 0 : 1
    })
  }

  limitCpu(containerId: string, _cpuMillis: number): Promise<void> {
    return this.#call('limitCpu', containerId, 2, 20, (engine) => void engine.find(containerId))
  }

  ensureNetwork(name: string, _labels: Labels): Promise<NetworkInfo> {
    return this.#call('ensureNetwork', name, 5, 60, (engine) => {
      const number = engine.networks.get(name) ?? Math.max(0, ...engine.networks.values()) + 1
      engine.networks.set(name, number)
      const gateway = `172.20.${number}.1`
      return {
        gateway,
        gateways: [gateway],
        device: 'bh-simulated',
        subnets: [`172.20.${number}.0/24`],
        reserved: [],
      }
    })
  }

  disconnectAll(name: string): Promise<void> {
    return this.#call('disconnectAll', name, 5, 60, () => {})
  }

  removeNetwork(name: string): Promise<void> {
    return this.#call('removeNetwork', name, 5, 60, (engine) => void engine.networks.delete(name))
  }

  async pull(
    reference: string,
    _access: unknown,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { engine, process } = this.#deps
    await this.#call('pull', reference, 5, 20, () => {})
    let left = engine.random.integer(0, 4)
    for (;;) {
      if (signal.aborted) throw new EngineError('pull-failed', 'the pull was given up')
      const isMissing = characterOf(reference) === 'missing'
      if (isMissing) throw new EngineError('pull-failed', `manifest for ${reference} not found`)
      if (engine.nowMs < engine.pullsFailUntilMs)
        throw new EngineError('pull-failed', 'connection reset by peer')
      if (left === 0) break
      if (engine.nowMs >= engine.pullsStallUntilMs) left -= 1
      await process.ask('pull goes on', progressEveryMs * process.host.slowness, () => {}, 0)
      if (!engine.up) throw new EngineError('unreachable', 'the engine is gone')
      onProgress(`${left} layers left`)
    }
    engine.images.add(reference)
  }

  async *events(_labels: Labels, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const replayed = await this.#call('events', '', 2, 20, (engine) => engine.recentEvents())
    const { engine, process } = this.#deps
    const queue: (EngineEvent | null)[] = [{ kind: 'connected' }, ...replayed]
    let wake = (): void => {}
    let lastAtMs = 0
    const listener = (event: ToldEvent | null): void => {
      // Events come in order, a little after what they tell of.
      const atMs = Math.max(engine.nowMs + process.host.takesMs(0.5, 15), lastAtMs)
      lastAtMs = atMs
      process.after(atMs - engine.nowMs, 'engine event', () => {
        queue.push(event)
        wake()
      })
    }
    engine.listeners.add(listener)
    const onAbort = (): void => {
      queue.push(null)
      wake()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      for (;;) {
        const event = queue.shift()
        if (event === null)
          throw new EngineError('unreachable', 'the engine closed the stream of events')
        if (event) yield event
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      engine.listeners.delete(listener)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async exec(): Promise<Execution> {
    throw new EngineError('refused', 'commands are not simulated')
  }

  async *logs(containerId: string): AsyncGenerator<OutputChunk> {
    await this.#call('logs', containerId, 2, 30, () => {})
    yield { channel: 'stderr', data: Buffer.from('a last word\n') }
  }

  async stats(): Promise<ContainerStats> {
    throw new EngineError('refused', 'figures are not simulated')
  }

  #call<T>(
    name: string,
    subject: string,
    minMs: number,
    maxMs: number,
    work: (engine: SimEngine) => T,
    laterMs = 0,
  ): Promise<T> {
    const { engine, process, onCall } = this.#deps
    const totalMs = process.host.takesMs(minMs, maxMs)
    const outMs = totalMs * engine.random.next()
    let reached = false
    const done = process.ask(
      `${process.name} ${name} ${subject}`,
      outMs,
      () => {
        if (!engine.up || !process.host.up)
          throw new EngineError('unreachable', 'connect ENOENT docker.sock')
        reached = true
        onCall(name, subject)
        return work(engine)
      },
      totalMs - outMs + laterMs,
    )
    return done.then((value) => {
      // The answer was on its way when the engine went away: what it did is done all the same.
      if (reached && !engine.up) throw new EngineError('unreachable', 'socket hang up')
      return value
    })
  }
}
