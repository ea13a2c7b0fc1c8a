import { type BeatKey, beatKeyOfToken, type Clock, decodeBeat, encodeBeat, isSignedBy, type Timer } from '@bulkhead/shared'

import { beatDue, beatEveryMs, type Contact, hears } from '../core/beating.ts'
import type { Datagrams, DatagramSocket } from './datagrams.ts'

export interface BeatsDeps {
  readonly clock: Clock
  readonly datagrams: Datagrams
}

export interface BeatsOptions {
  readonly url: string
  readonly token: string
  readonly node: string
  readonly bootId: string
}

/**
 * Says by datagram that this agent is there, from when a heartbeat is not answered in time until one is: a lost
 * segment or a new connection must not make a living node look dead. When all is well nothing is sent.
 */
export class Beats {
  readonly #deps: BeatsDeps
  readonly #options: BeatsOptions
  readonly #key: BeatKey
  #contact: Contact = { unansweredSinceMs: null, answeredAtMs: null, heardAtMs: null }
  #lastSent = 0
  #counter = 0
  #answered = 0
  #timer: Timer | null = null
  #socket: DatagramSocket | null = null

  constructor(deps: BeatsDeps, options: BeatsOptions) {
    this.#deps = deps
    this.#options = options
    this.#key = beatKeyOfToken(options.token)
  }

  /** Whether the server has been heard a moment ago, by whatever way. */
  get hears(): boolean {
    return hears(this.#contact, this.#deps.clock.monotonicMs())
  }

  /** Something came over the connection. */
  heard(): void {
    this.#contact = { ...this.#contact, heardAtMs: this.#deps.clock.monotonicMs() }
  }

  /** A heartbeat was sent. */
  sent(sequence: number): void {
    this.#lastSent = sequence
    const { clock } = this.#deps
    this.#contact = { ...this.#contact, unansweredSinceMs: this.#contact.unansweredSinceMs ?? clock.monotonicMs() }
    this.#timer ??= clock.after(beatEveryMs, () => this.#beat())
  }

  /** A heartbeat was answered: the connection moves. */
  answered(sequence: number): void {
    const nowMs = this.#deps.clock.monotonicMs()
    this.#contact = { ...this.#contact, answeredAtMs: nowMs, unansweredSinceMs: nowMs }
    if (sequence === this.#lastSent) this.rest()
  }

  /** Until the next heartbeat is not answered in time. */
  rest(): void {
    this.#contact = { ...this.#contact, unansweredSinceMs: null }
    this.#timer?.cancel()
    this.#timer = null
    this.#socket?.close()
    this.#socket = null
  }

  #beat(): void {
    this.#timer = null
    const { clock, datagrams } = this.#deps
    const { url, node, bootId } = this.#options
    const kind = beatDue(this.#contact, clock.monotonicMs())
    if (kind === null) return this.rest()
    this.#counter += 1
    this.#socket ??= datagrams.open(url, (datagram) => this.#receive(datagram))
    this.#socket.send(encodeBeat({ kind, node, bootId, counter: this.#counter }, this.#key))
    this.#timer = clock.after(beatEveryMs, () => this.#beat())
  }

  #receive(datagram: Uint8Array): void {
    const beat = decodeBeat(datagram)
    if (beat?.kind !== 'answer' || beat.bootId !== this.#options.bootId) return
    if (beat.counter <= this.#answered || beat.counter > this.#counter || !isSignedBy(datagram, this.#key)) return
    this.#answered = beat.counter
    this.heard()
  }
}
