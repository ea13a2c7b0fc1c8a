import type { Random } from '../random.ts'
import type { Process } from './process.ts'
import type { Schedule } from './schedule.ts'

/** What TCP takes off a program's hands before it piles up in the program. */
const kernelBufferBytes = 256 * 1024
/** A lost segment is sent again after this time, then after twice as long, and so on. */
const firstResendMs = 200

/** The way between a node and the control plane. A direction that is stalled delivers nothing until it is not. */
export interface Link {
  readonly latencyMs: () => number
  /** The share of packets that are lost: a segment of a connection is sent again, a datagram is not. */
  loss: number
  stalledUp: boolean
  stalledDown: boolean
}

export interface EndHandlers {
  onText(text: string): void
  onClose(reason: string): void
}

export type BrokenEnds = 'both' | 'client' | 'server'

interface Parcel {
  readonly sequence: number
  readonly kind: 'text' | 'end'
  readonly text: string
}

/** One end of a connection. */
export class End {
  readonly process: Process
  handlers: EndHandlers | null = null
  open = true
  peer: End | null = null
  readonly #network: Network
  readonly #link: Link
  readonly towards: 'stalledUp' | 'stalledDown'
  readonly #parcels: Parcel[] = []
  readonly #label: string
  #lastAtMs = 0
  #bytes = 0
  #sent = 0

  constructor(
    process: Process,
    network: Network,
    link: Link,
    towards: 'stalledUp' | 'stalledDown',
  ) {
    this.process = process
    this.#network = network
    this.#link = link
    this.towards = towards
    this.#label = `${process.name} sends`
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#bytes - kernelBufferBytes)
  }

  send(text: string): void {
    if (!this.open) return
    this.#bytes += text.length
    this.#send('text', text)
  }

  /** Ends it here and, when the network lets it through, there. */
  close(reason: string): void {
    if (!this.open) return
    this.open = false
    this.#send('end', reason)
  }

  /** Ends it here only; the other end learns nothing. */
  lose(reason: string): void {
    if (!this.open) return
    this.open = false
    this.process.after(0, 'connection lost', () => this.handlers?.onClose(reason))
  }

  /** The link moves again. */
  resume(): void {
    const waiting = this.#parcels.splice(0).toSorted((a, b) => a.sequence - b.sequence)
    for (const parcel of waiting) this.#post(parcel)
  }

  #send(kind: Parcel['kind'], text: string): void {
    this.#sent += 1
    this.#post({ sequence: this.#sent, kind, text })
  }

  #post(parcel: Parcel): void {
    if (this.#link[this.towards]) {
      this.#parcels.push(parcel)
      return
    }
    const takesMs = this.#link.latencyMs() + this.#network.resendMs(this.#link.loss)
    const atMs = Math.max(this.#network.schedule.nowMs + takesMs, this.#lastAtMs)
    this.#lastAtMs = atMs
    this.#network.schedule.at(atMs, this.#label, () => this.#arrive(parcel))
  }

  #arrive(parcel: Parcel): void {
    // What the link has taken up since then stays in it.
    if (this.#link[this.towards] || this.#parcels.length > 0) {
      this.#parcels.push(parcel)
      return
    }
    this.#bytes -= parcel.kind === 'text' ? parcel.text.length : 0
    const { peer } = this
    if (!peer || !peer.process.host.up) return
    if (!peer.process.alive) {
      // The machine is there and knows of no such connection.
      if (parcel.kind === 'text') this.lose('connection reset')
      return
    }
    if (!peer.open) return
    this.#network.tell(`${this.process.name} → ${peer.process.name} ${parcel.kind} ${parcel.text}`)
    peer.process.now('arrives', () => peer.take(parcel))
  }

  take({ kind, text }: Parcel): void {
    if (!this.open) return
    if (kind === 'text') {
      this.handlers?.onText(text)
      return
    }
    this.open = false
    this.handlers?.onClose(text)
  }
}

/** All connections, and where they break. */
export class Network {
  readonly schedule: Schedule
  readonly tell: (line: string) => void
  readonly #ends = new Map<Link, Set<End>>()

  readonly #random: Random

  constructor(schedule: Schedule, random: Random, tell: (line: string) => void) {
    this.schedule = schedule
    this.#random = random
    this.tell = tell
  }

  /** How much longer a segment takes when a share of all is lost. */
  resendMs(loss: number): number {
    let takesMs = 0
    for (let waitMs = firstResendMs; this.#random.chance(loss); waitMs *= 2) takesMs += waitMs
    return takesMs
  }

  connect(client: Process, server: Process, link: Link): { client: End; server: End } {
    const clientEnd = new End(client, this, link, 'stalledUp')
    const serverEnd = new End(server, this, link, 'stalledDown')
    clientEnd.peer = serverEnd
    serverEnd.peer = clientEnd
    const ends = this.#ends.get(link) ?? new Set()
    this.#ends.set(link, ends)
    for (const end of ends) if (!end.open && !end.peer?.open) ends.delete(end)
    ends.add(clientEnd).add(serverEnd)
    for (const end of [clientEnd, serverEnd]) {
      // The kernel closes for a program that has died; a machine that has died closes nothing.
      end.process.onDeath(() => {
        if (end.process.host.up) end.close('the other side ended')
        else end.open = false
      })
    }
    return { client: clientEnd, server: serverEnd }
  }

  stall(link: Link, directions: { readonly up: boolean; readonly down: boolean }): void {
    const wasStalled = link.stalledUp || link.stalledDown
    link.stalledUp = directions.up
    link.stalledDown = directions.down
    if (wasStalled) for (const end of this.#ends.get(link) ?? []) end.resume()
  }

  /** Every connection of the link breaks, each end for itself; one end may not notice. */
  break(link: Link, ends: BrokenEnds): void {
    for (const end of this.#ends.get(link) ?? []) {
      const side = end.towards === 'stalledUp' ? 'client' : 'server'
      if (ends === 'both' || ends === side) end.lose('connection reset by peer')
    }
  }
}
