import {
  type FromAgentMessage,
  maxFrameBytes,
  sleep,
  type Timer,
  type ToAgentMessage,
  wireVersion,
} from '@bulkhead/shared'

import { exponential, jittered } from '../core/backoff.ts'
import { Outbox } from './outbox.ts'
import { parseMessage } from './parse.ts'
import type { Message, SessionDeps, SessionOptions } from './session-deps.ts'
import { type Connection, RefusedByServer } from './transport.ts'

/** What the server closes with when somebody has removed the node. */
const closedAsRemoved = 4002

const reconnectFirstMs = 100
const reconnectMaxMs = 5000
/** From the open connection to the welcome. */
const welcomeMs = 10_000
/** Silence of this many heartbeats, and at least of `deadMinMs`, means that nobody is there. */
const deadHeartbeats = 4
const deadMinMs = 4000
/** … but not while it answers beats: then the connection is held up by lost segments, and a new one would be, too. */
const heldUpMs = 10_000
/** Whatever the server asks for: no busier than this, and never so slow that its silence is not noticed. */
const heartbeatMinMs = 100
const heartbeatMaxMs = 60_000
/** Reports that nobody acknowledges for this long are told again, in a new session's inventory. */
const unheardMs = 30_000
const maxProblemLength = 4096

/** Keeps a session with the control plane: forever anew, and never in the way of anything local. */
export class Session {
  readonly outbox: Outbox
  readonly #deps: SessionDeps
  readonly #options: SessionOptions
  #connection: Connection | null = null
  #revision: number | null = null
  #heartbeats = 0
  #heardMs = 0
  #failures = 0
  #timer: Timer | null = null
  #welcomed = false
  /** What it has begun with was not all that may be there. */
  #isPartial = false
  #heartbeatMs = 0
  #saidProblem = ''
  #saidFacts = ''

  constructor(deps: SessionDeps, options: SessionOptions) {
    this.#deps = deps
    this.#options = options
    this.outbox = new Outbox({
      clock: deps.clock,
      send: (sequence, reports) => this.send({ kind: 'status', sequence, reports: [...reports] }),
    })
  }

  get isConnected(): boolean {
    return this.#welcomed
  }

  get bufferedBytes(): number {
    return this.#connection?.bufferedBytes ?? 0
  }

  /** Until `signal` is aborted; does not reject. */
  async run(signal: AbortSignal): Promise<void> {
    const { beats, clock, logger, random } = this.#deps
    while (!signal.aborted) {
      const reason = await this.#connect(signal)
      if (signal.aborted) return beats.rest()
      this.#failures += 1
      const delayMs = exponential(this.#failures, reconnectFirstMs, reconnectMaxMs)
      // A line for the first failures, then once a minute or so: an outage can be long.
      const isNews = this.#failures <= 3 || this.#failures % 12 === 0
      if (isNews) logger.warn({ reason, failures: this.#failures }, 'no session with the server')
      await sleep(clock, jittered(delayMs, random()), signal).catch(() => {})
    }
  }

  /** Nobody hears what is said before the session has begun. */
  send(message: FromAgentMessage): void {
    if (this.#welcomed) this.#say(message)
  }

  #say(message: FromAgentMessage): void {
    this.#connection?.send(JSON.stringify(message))
  }

  /** Says what the node says of itself when that is not what the session has heard. */
  tellFacts(): void {
    if (!this.#welcomed) return
    const facts = this.#deps.handlers.facts()
    const text = JSON.stringify(facts)
    if (text === this.#saidFacts) return
    this.#saidFacts = text
    this.#say({ kind: 'facts', facts })
  }

  /** Begins a new session, because what is said only at the beginning has changed. */
  reconnect(): void {
    this.#connection?.close()
  }

  /** Resolves with why the connection ended. */
  async #connect(signal: AbortSignal): Promise<string> {
    const { transport, clock, handlers, lease, logger } = this.#deps
    const { url, token, bootId } = this.#options
    const closed = Promise.withResolvers<string>()
    const close = (): void => this.#connection?.close()
    try {
      this.#connection = await transport.open(url, token, {
        onMessage: (text) => this.#receive(text),
        onClose: closed.resolve,
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (error instanceof RefusedByServer) logger.error({ reason }, 'the server refuses this node')
      return reason
    }
    signal.addEventListener('abort', close, { once: true })
    if (signal.aborted) close()
    this.#timer = clock.after(welcomeMs, close)
    const facts = handlers.facts()
    this.#saidFacts = JSON.stringify(facts)
    this.#say({ kind: 'hello', wireVersion, facts, bootId, nowMs: clock.nowMs() })
    const reason = await closed.promise
    signal.removeEventListener('abort', close)
    this.#timer?.cancel()
    this.#connection = null
    this.#welcomed = false
    this.#revision = null
    this.outbox.close()
    lease.disconnected()
    handlers.disconnected()
    if (reason.startsWith(`${closedAsRemoved} `)) handlers.removed()
    return reason
  }

  #receive(text: string): void {
    this.#heardMs = this.#deps.clock.monotonicMs()
    this.#deps.beats.heard()
    const message = text.length > maxFrameBytes ? null : parseMessage(text)
    if (message === null || (!this.#welcomed && message.kind !== 'welcome')) {
      this.#deps.logger.error(
        { start: text.slice(0, 200) },
        'the server sent what this agent does not understand',
      )
      this.#connection?.close()
      return
    }
    this.#handle(message)
  }

  #handle(message: ToAgentMessage): void {
    const { handlers } = this.#deps
    switch (message.kind) {
      case 'welcome':
        return this.#welcome(message)
      case 'assignments':
        return this.#assignments(message)
      case 'policy':
        return handlers.policy(message)
      case 'secrets':
        return handlers.secrets(message)
      case 'endpoints':
        return handlers.endpoints(message)
      case 'status-ack':
        return this.outbox.acknowledge(message.sequence)
      case 'heartbeat-ack':
        this.#deps.beats.answered(message.sequence)
        return this.#deps.lease.answered(message.sequence)
      case 'stream-open':
        return handlers.streamOpen(message)
      case 'stream-close':
        return handlers.streamClose(message.stream)
    }
  }

  #welcome(message: Message<'welcome'>): void {
    const { handlers, lease, logger } = this.#deps
    if (message.wireVersion !== wireVersion) {
      const versions = { theirs: message.wireVersion, ours: wireVersion }
      logger.error(versions, 'the server speaks another version of the protocol')
      this.#connection?.close()
      return
    }
    lease.welcomed(message.leaseMs)
    if (!this.#welcomed) this.#begin(message)
    handlers.welcome(message)
  }

  #begin(message: Message<'welcome'>): void {
    const { handlers, logger } = this.#deps
    const last = this.outbox.open()
    const { reports, unmanaged, isPartial } = handlers.inventory()
    this.#isPartial = isPartial
    const known = new Set(reports.map((report) => report.instance))
    const forgotten = last.filter((report) => !known.has(report.instance))
    const all = [...reports, ...forgotten]
    this.#say({ kind: 'inventory', reports: all, unmanaged, ...(isPartial ? { isPartial } : {}) })
    this.#welcomed = true
    logger.info({ instances: reports.length }, 'in session with the server')
    this.tellFacts()
    this.#heartbeatMs = Math.min(Math.max(message.heartbeatMs, heartbeatMinMs), heartbeatMaxMs)
    this.beat()
  }

  #assignments(message: Message<'assignments'>): void {
    if (message.from !== null && message.from !== this.#revision) {
      const reason = `at revision ${this.#revision}, a change builds on ${message.from}`
      this.#revision = null
      this.send({ kind: 'resync', reason })
      return
    }
    this.#revision = message.revision
    if (message.from === null) {
      this.#failures = 0
      this.outbox.inventoryTaken()
    }
    this.#deps.handlers.assignments(message)
    if (message.from !== null) return
    this.#deps.lease.assigned()
    this.beat()
  }

  /** What is there is known now: a session that began without that begins anew, with all of it. */
  completed(): void {
    if (!this.#isPartial) return
    this.#isPartial = false
    this.#deps.logger.info('the engine has told what is there: telling the server anew')
    this.#connection?.close()
  }

  /** Says how the engine is: at the server's interval, and at once when that has changed. */
  beat(): void {
    if (!this.#welcomed) return
    const everyMs = this.#heartbeatMs
    const { beats, clock, handlers, lease, logger } = this.#deps
    this.#timer?.cancel()
    const silentMs = clock.monotonicMs() - this.#heardMs
    const { oldestMs } = this.outbox
    const deadMs = Math.max(deadHeartbeats * everyMs, beats.hears ? heldUpMs : deadMinMs)
    if (silentMs > deadMs || oldestMs > unheardMs) {
      logger.warn({ silentMs, oldestMs }, 'the server does not answer: connecting anew')
      this.#connection?.close()
      return
    }
    this.#heartbeats += 1
    if (handlers.mayRenew()) lease.sent(this.#heartbeats)
    beats.sent(this.#heartbeats)
    this.send({
      kind: 'heartbeat',
      sequence: this.#heartbeats,
      engineProblem: this.#sayProblem().slice(0, maxProblemLength),
      nowMs: clock.nowMs(),
    })
    this.#timer = clock.after(everyMs, () => this.beat())
  }

  /** That the engine answers again is said only after everything that it has told: until then that is out of date. */
  #sayProblem(): string {
    this.outbox.flush()
    const problem = this.#deps.handlers.engineProblem()
    if (problem !== '' || this.outbox.isEmpty) this.#saidProblem = problem
    return this.#saidProblem
  }
}
