import type { Host } from '../engines/host.ts'

/** One container's life as its engine told it; times are nanoseconds of the engine's clock. */
export interface Life {
  readonly host: string
  readonly containerId: string
  readonly service: string
  readonly slot: string
  readonly startedAtNs: bigint
  /** Null as long as it lives. */
  readonly endedAtNs: bigint | null
}

interface EngineEvent {
  readonly Action: string
  readonly timeNano: number
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}

type EventStream = NodeJS.ReadableStream & { destroy(): void }

const reopenMs = 200

/**
 * Follows the engines' own event streams: a witness that knows nothing of control plane and agents. All engines of a
 * test run on one machine, so that their clocks are one clock.
 */
export class EngineLog implements Disposable {
  readonly #lives = new Map<string, Life>()
  readonly #streams = new Set<EventStream>()
  #closed = false

  static async follow(hosts: readonly Host[]): Promise<EngineLog> {
    const log = new EngineLog()
    await Promise.all(hosts.map((host) => log.#open(host, null)))
    return log
  }

  get lives(): readonly Life[] {
    return [...this.#lives.values()]
  }

  /** Pairs that lived at the same time in the same slot of a service. */
  overlaps(service: string): readonly (readonly [Life, Life])[] {
    const own = this.lives.filter((life) => life.service === service)
    return own.flatMap((one, index) =>
      own
        .slice(index + 1)
        .flatMap((other) => (one.slot === other.slot && meet(one, other) ? [[one, other] as const] : [])),
    )
  }

  /** Pairs of two services that lived at the same time on one host. */
  neighbours(service: string, other: string): readonly (readonly [Life, Life])[] {
    const others = this.lives.filter((life) => life.service === other)
    return this.lives
      .filter((life) => life.service === service)
      .flatMap((one) =>
        others.flatMap((two) => (one.host === two.host && meet(one, two) ? [[one, two] as const] : [])),
      )
  }

  /** All containers of a host have ended with the power of the machine, which no engine tells of. */
  powerWentOff(host: string): void {
    const endedAtNs = BigInt(Date.now()) * 1_000_000n
    for (const [id, life] of this.#lives) {
      if (life.host === host && life.endedAtNs === null) this.#lives.set(id, { ...life, endedAtNs })
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true
    for (const stream of this.#streams) stream.destroy()
  }

  async #open(host: Host, since: number | null): Promise<void> {
    const stream = (await host.docker.getEvents({
      filters: { type: ['container'], event: ['start', 'die'], label: ['bulkhead.service'] },
      ...(since === null ? {} : { since }),
    })) as EventStream
    this.#streams.add(stream)
    let rest = ''
    stream.on('data', (data) => {
      const lines = `${rest}${String(data)}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') this.#take(host.name, JSON.parse(line) as EngineEvent)
    })
    stream.on('close', () => {
      this.#streams.delete(stream)
      // An engine that comes back tells what it did meanwhile; what it tells twice changes nothing.
      if (!this.#closed) this.#reopen(host, Math.floor(Date.now() / 1000) - 1)
    })
    stream.on('error', () => {})
  }

  #reopen(host: Host, since: number): void {
    setTimeout(() => {
      if (!this.#closed) this.#open(host, since).catch(() => this.#reopen(host, since))
    }, reopenMs).unref()
  }

  #take(host: string, { Action, Actor, timeNano }: EngineEvent): void {
    const { ID: containerId, Attributes } = Actor
    const atNs = BigInt(timeNano)
    const known = this.#lives.get(containerId)
    if (Action === 'start' && known === undefined) {
      const { 'bulkhead.service': service = '', 'bulkhead.slot': slot = '' } = Attributes
      this.#lives.set(containerId, { host, containerId, service, slot, startedAtNs: atNs, endedAtNs: null })
    }
    if (Action === 'die' && known?.endedAtNs === null) this.#lives.set(containerId, { ...known, endedAtNs: atNs })
  }
}

function meet(one: Life, other: Life): boolean {
  const isOver = (life: Life, atNs: bigint): boolean => life.endedAtNs !== null && life.endedAtNs <= atNs
  return !isOver(one, other.startedAtNs) && !isOver(other, one.startedAtNs)
}
