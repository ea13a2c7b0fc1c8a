import {
  FromAgentMessage,
  maxFrameBytes,
  wireVersion,
  type Assignment,
  type BeatKey,
  type Clock,
  type InstanceReport,
  type NodeFacts,
  systemClock,
  type ToAgentMessage,
} from '@bulkhead/shared'
import { Compile, type Validator } from 'typebox/compile'

import { closeCodes, closeReason, type Connection } from './connection.ts'
import { followClock, sameClock, toHostTime, toOurTime, type HostClock } from './core/host-clock.ts'
import { Streams } from './streams.ts'

type Kind = FromAgentMessage['kind']

let validator: Validator<{}, typeof FromAgentMessage> | undefined

/** What a session asks of the hub; each is told with the session itself. */
export interface SessionHandlers {
  onHello(session: Session, hello: Extract<FromAgentMessage, { kind: 'hello' }>): Promise<void>
  onInventory(session: Session, inventory: Extract<FromAgentMessage, { kind: 'inventory' }>): Promise<void>
  onStatus(session: Session, status: Extract<FromAgentMessage, { kind: 'status' }>): Promise<void>
  onHeartbeat(session: Session): void
  /** Why the node's engine does not answer; empty when it does. Told when it has changed. */
  onEngine(session: Session, problem: string): void
  onResync(session: Session, reason: string): void
  onEndpointsApplied(session: Session, revision: number): void
  /** What the node says of itself has changed. */
  onFacts(session: Session, facts: NodeFacts): Promise<void>
  onNotice(session: Session, notice: Extract<FromAgentMessage, { kind: 'notice' }>): Promise<void>
  onTraffic(session: Session, traffic: Extract<FromAgentMessage, { kind: 'traffic' }>): void
  onProblem(session: Session, error: unknown): void
}

export interface SessionOptions {
  readonly clock?: Pick<Clock, 'nowMs'>
  /** What the session before knew of the clock of the node. */
  readonly hostClock?: HostClock
  /** What the agent signs its beats with; null: it sends none. */
  readonly beatKey?: BeatKey | null
}

/** Messages that wait for the one before them; an agent waits for its answers long before it is that far ahead. */
const maxWaiting = 256
const maxWaitingCharacters = 4 * maxFrameBytes
/** Of what a node says of itself; it goes into every list of nodes. */
export const maxFactsCharacters = 65_536

/** An agent that reads slower than this falls behind for good: it is cut off and starts again with a full set. */
const maxBufferedBytes = 64 * 1024 * 1024

/**
 * The control plane's end of one agent's connection: checks messages and their order, and keeps the chain of
 * deltas. Phases: opened → greeted (hello) → synced (inventory applied, full set sent).
 */
export class Session {
  readonly node: string
  readonly streams: Streams
  readonly beatKey: BeatKey | null
  bootId = ''
  hostClock: HostClock
  phase: 'opened' | 'greeted' | 'synced' | 'closed' = 'opened'
  /** Revision of the endpoint tables that the agent was last sent; null: it has had none. */
  sentTablesRevision: number | null = null
  /** Revision of the endpoint tables that everything on the node goes by, as the agent last said. */
  servedRevision = 0
  #sentRevision = 0
  #holdsDeltas = true
  #engineProblem: string | null = null
  readonly #connection: Connection
  readonly #handlers: SessionHandlers
  readonly #clock: Pick<Clock, 'nowMs'>
  #queue: Promise<void> = Promise.resolve()
  #waiting = 0
  #waitingCharacters = 0

  constructor(
    node: string,
    connection: Connection,
    handlers: SessionHandlers,
    { clock = systemClock, hostClock = sameClock, beatKey = null }: SessionOptions = {},
  ) {
    this.node = node
    this.beatKey = beatKey
    this.hostClock = { ...hostClock, seenMs: [] }
    this.#clock = clock
    this.#connection = connection
    this.#handlers = handlers
    this.streams = new Streams((message) => this.send(message))
  }

  send(message: ToAgentMessage): void {
    this.sendText(JSON.stringify(message))
  }

  /** A message that was made into text once for many sessions. */
  sendText(text: string): void {
    if (this.phase === 'closed') return
    this.#connection.send(text)
    if (this.#connection.bufferedBytes > maxBufferedBytes) {
      this.close(closeCodes.tooSlow, 'the agent does not read what it is sent')
    }
  }

  /** Endpoint tables as they are at `revision`. */
  sendTables(revision: number, text: string): void {
    this.sentTablesRevision = revision
    this.sendText(text)
  }

  /** Until the full set is there, deltas would have nothing to build on. */
  holdDeltas(): void {
    this.#holdsDeltas = true
  }

  sendFullSet(revision: number, upserts: readonly Assignment[]): void {
    this.#holdsDeltas = false
    this.#sentRevision = revision
    this.send({ kind: 'assignments', from: null, revision, upserts: this.#toHostTime(upserts), removes: [] })
  }

  sendDelta(revision: number, upserts: readonly Assignment[], removes: readonly string[]): void {
    const from = this.#sentRevision
    if (this.#holdsDeltas || revision <= from) return
    this.#sentRevision = revision
    this.send({ kind: 'assignments', from, revision, upserts: this.#toHostTime(upserts), removes: [...removes] })
  }

  #toHostTime(assignments: readonly Assignment[]): Assignment[] {
    return assignments.map((assignment) => toHostTime(assignment, this.hostClock.offsetMs))
  }

  #toOurTime(reports: readonly InstanceReport[]): InstanceReport[] {
    const nowMs = this.#clock.nowMs()
    return reports.map((report) => toOurTime(report, this.hostClock.offsetMs, nowMs))
  }

  close(code: number, reason: string): void {
    if (this.phase === 'closed') return
    this.phase = 'closed'
    this.#connection.close(code, closeReason(reason))
    this.streams.endAll(`the connection to node ${this.node} was closed: ${reason}`)
  }

  /** The connection is gone. */
  closed(): void {
    this.phase = 'closed'
    this.streams.endAll(`the connection to node ${this.node} broke`)
  }

  /** One frame from the agent. Frames are handled strictly one after the other. */
  receive(text: string): void {
    if (this.phase === 'closed') return
    const message = this.#parse(text)
    if (!message) return
    if ('nowMs' in message && message.nowMs !== undefined) {
      this.hostClock = followClock(this.hostClock, message.nowMs, this.#clock.nowMs())
    }
    if (message.kind === 'heartbeat') {
      if (this.phase === 'synced') this.#handlers.onHeartbeat(this)
      // Answered at once, whatever the store is doing: it says that we are there, and renews the lease.
      this.send({ kind: 'heartbeat-ack', sequence: message.sequence })
      // How its engine is counts once what the agent said before that does.
      if (message.engineProblem === this.#engineProblem) return
      this.#engineProblem = message.engineProblem
    }
    if (this.phase === 'synced' && (message.kind === 'stream-data' || message.kind === 'stream-end')) {
      // Nothing of it is stored, so that output does not pile up behind a slow disk.
      this.#passOn(message)
      return
    }
    this.#enqueue(message, text.length)
  }

  #passOn(message: Parameters<Streams['receive']>[0]): void {
    try {
      this.streams.receive(message)
    } catch (error) {
      this.#handlers.onProblem(this, error)
    }
  }

  #enqueue(message: FromAgentMessage, characters: number): void {
    this.#waiting += 1
    this.#waitingCharacters += characters
    if (this.#waiting > maxWaiting || this.#waitingCharacters > maxWaitingCharacters) {
      this.close(closeCodes.tooFast, 'the agent sends more than it waits to be answered')
      return
    }
    this.#queue = this.#queue
      .then(() => (this.phase === 'closed' ? undefined : this.#handle(message)))
      .catch((error: unknown) => this.#handlers.onProblem(this, error))
      .finally(() => {
        this.#waiting -= 1
        this.#waitingCharacters -= characters
      })
  }

  #areShort(facts: NodeFacts): boolean {
    if (JSON.stringify(facts).length <= maxFactsCharacters) return true
    this.close(closeCodes.badMessage, `the facts of the node have more than ${maxFactsCharacters} characters`)
    return false
  }

  #parse(text: string): FromAgentMessage | null {
    validator ??= Compile(FromAgentMessage)
    let message: unknown
    try {
      message = text.length > maxFrameBytes ? undefined : JSON.parse(text)
    } catch {
      message = undefined
    }
    if (message !== undefined && validator.Check(message)) return message
    const [problem] = message === undefined ? [] : validator.Errors(message)
    const why = problem ? `${problem.instancePath} ${problem.message}` : 'not JSON, or too large'
    this.close(closeCodes.badMessage, `a message does not fit the protocol: ${why}`.slice(0, 120))
    return null
  }

  async #handle(message: FromAgentMessage): Promise<void> {
    const expected: Record<typeof this.phase, readonly Kind[] | null> = {
      opened: ['hello'],
      greeted: ['inventory'],
      synced: null,
      closed: [],
    }
    const allowed = expected[this.phase]
    const early = allowed !== null && !allowed.includes(message.kind)
    if (early || (allowed === null && (message.kind === 'hello' || message.kind === 'inventory'))) {
      this.close(closeCodes.badMessage, `${message.kind} came out of order`)
      return
    }
    switch (message.kind) {
      case 'facts':
        if (!this.#areShort(message.facts)) return
        await this.#handlers.onFacts(this, message.facts)
        return
      case 'hello':
        if (message.wireVersion !== wireVersion) {
          this.close(closeCodes.badMessage, `wire version ${message.wireVersion} is not ${wireVersion}: upgrade the older side`)
          return
        }
        if (!this.#areShort(message.facts)) return
        this.bootId = message.bootId
        await this.#handlers.onHello(this, message)
        return
      case 'inventory':
        await this.#handlers.onInventory(this, { ...message, reports: this.#toOurTime(message.reports) })
        return
      case 'heartbeat':
        this.#handlers.onEngine(this, message.engineProblem)
        return
      case 'status':
        await this.#handlers.onStatus(this, { ...message, reports: this.#toOurTime(message.reports) })
        this.send({ kind: 'status-ack', sequence: message.sequence })
        return
      case 'resync':
        this.#handlers.onResync(this, message.reason)
        return
      case 'endpoints-applied':
        this.servedRevision = message.revision
        this.#handlers.onEndpointsApplied(this, message.revision)
        return
      case 'notice':
        await this.#handlers.onNotice(this, message)
        return
      case 'traffic':
        this.#handlers.onTraffic(this, message)
        return
      case 'stream-data':
      case 'stream-end':
        this.#passOn(message)
        return
    }
  }
}
