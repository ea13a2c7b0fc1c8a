import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
  readonly isFinal: boolean
  readonly isMasked: boolean
}

/** How the server ended a connection: with a close frame, or by dropping it. */
export interface Closing {
  readonly code: number | null
  readonly reason: string
}

const longLength = 126
const veryLongLength = 127
const keptTexts = 64

/** A frame as a client sends it, and as it must not. */
function bytesOf({ opcode, payload, isFinal, isMasked }: Frame): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < longLength ? 2 : length < 65_536 ? 4 : 10)
  head[0] = (isFinal ? 0x80 : 0) | opcode
  const mark = isMasked ? 0x80 : 0
  head[1] = mark | (length < longLength ? length : length < 65_536 ? longLength : veryLongLength)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), payload])
}

/** The client's end of a WebSocket with nothing between the test and the wire. */
export class RawWebSocket {
  readonly #socket: Socket
  readonly closed: Promise<Closing>
  /** The last texts that came. */
  readonly texts: string[] = []
  status = 0
  #closing: Closing = { code: null, reason: '' }
  #pending = Buffer.alloc(0)
  #pongs = 0

  constructor(url: string, path: string, token: string) {
    const { hostname, port } = new URL(url)
    this.#socket = connect(Number(port), hostname)
    this.#socket.on('error', () => {})
    this.#socket.on('data', (data: Buffer) => this.#take(data))
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => resolve(this.#closing))
    })
    const key = randomBytes(16).toString('base64')
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    )
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#closing.code === null
  }

  send(frame: Frame): void {
    if (!this.#socket.destroyed) this.#socket.write(bytesOf(frame))
  }

  sendText(text: string): void {
    this.send({ opcode: 1, payload: Buffer.from(text), isFinal: true, isMasked: true })
  }

  sendBytes(bytes: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  }

  /** Takes nothing more from the connection. */
  stopReading(): void {
    this.#socket.pause()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Resolves with how it was closed, or with null when the server has read everything and keeps it open. */
  async outcome(limitMs: number): Promise<Closing | null> {
    const before = this.#pongs
    this.send({ opcode: 9, payload: Buffer.from('x'), isFinal: true, isMasked: true })
    const endMs = performance.now() + limitMs
    while (performance.now() < endMs && this.#pongs === before && this.isOpen) await delay(2)
    if (this.#closing.code !== null) return this.#closing
    return this.#socket.destroyed ? await this.closed : null
  }

  #take(data: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, data])
    if (this.status === 0) {
      const end = this.#pending.indexOf('\r\n\r\n')
      if (end < 0) return
      this.status = Number(this.#pending.subarray(9, 12).toString())
      this.#pending = this.#pending.subarray(end + 4)
    }
    while (this.status === 101 && this.#takeFrame());
  }

  /** Frames of the server are whole and not masked. */
  #takeFrame(): boolean {
    const pending = this.#pending
    if (pending.length < 2) return false
    const short = (pending[1] ?? 0) & 0x7f
    const start = short === longLength ? 4 : short === veryLongLength ? 10 : 2
    if (pending.length < start) return false
    const length =
      start === 4
        ? pending.readUInt16BE(2)
        : start === 10
          ? Number(pending.readBigUInt64BE(2))
          : short
    if (pending.length < start + length) return false
    const payload = pending.subarray(start, start + length)
    this.#pending = pending.subarray(start + length)
    this.#handle((pending[0] ?? 0) & 0x0f, payload)
    return true
  }

  #handle(opcode: number, payload: Buffer): void {
    if (opcode === 1) {
      this.texts.push(payload.toString())
      if (this.texts.length > keptTexts) this.texts.shift()
    }
    if (opcode === 10) this.#pongs += 1
    if (opcode !== 8) return
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
    this.#closing = { code, reason: payload.subarray(2).toString() }
    this.#socket.end()
  }
}
