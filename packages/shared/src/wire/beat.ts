import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

/**
 * Beats: datagrams by which an agent says that it is there while its connection does not move. A lost segment holds
 * up a connection for seconds; of many datagrams one gets through. They are signs of life only: they carry no state
 * and renew no lease. Layout: magic, kind, counter (6 bytes), lengths and texts of node and boot id, HMAC-SHA256.
 */

/** `hears`: and is heard; `deaf`: it has heard nothing from the server for a while; `answer`: the server's. */
export type BeatKind = 'hears' | 'deaf' | 'answer'

export interface Beat {
  readonly kind: BeatKind
  readonly node: string
  /** Of the agent's process: a beat of another one says nothing about it. */
  readonly bootId: string
  /** Grows with every beat of a process; an answer has that of the beat. A datagram that comes again counts for nothing. */
  readonly counter: number
}

const magic = Buffer.from('BHb1')
const kinds: readonly BeatKind[] = ['hears', 'deaf', 'answer']
const counterBytes = 6
const headBytes = magic.length + 1 + counterBytes + 2
const macBytes = 32
const maxTextBytes = 255
/** Longer datagrams are none of ours. */
export const maxBeatBytes = headBytes + 2 * maxTextBytes + macBytes

/** Made once for many signatures: the runtime takes four times as long to sign with a key that comes as bytes. */
export type BeatKey = KeyObject

/** What signs the beats of a node. Both sides can derive it: the agent has the token, the server a hash of it. */
export function beatKey(tokenHash: Uint8Array): BeatKey {
  return createSecretKey(createHmac('sha256', tokenHash).update('bulkhead beat').digest())
}

export function beatKeyOfToken(token: string): BeatKey {
  return beatKey(createHash('sha256').update(token).digest())
}

const signature = (signed: Uint8Array, key: BeatKey): Buffer => createHmac('sha256', key).update(signed).digest()

export function encodeBeat({ kind, node, bootId, counter }: Beat, key: BeatKey): Uint8Array {
  const texts = [Buffer.from(node), Buffer.from(bootId)]
  if (texts.some(({ length }) => length > maxTextBytes)) throw new RangeError('a name is too long for a beat')
  const head = Buffer.alloc(headBytes)
  magic.copy(head)
  head.writeUInt8(kinds.indexOf(kind), magic.length)
  head.writeUIntBE(counter, magic.length + 1, counterBytes)
  for (const [index, { length }] of texts.entries()) head.writeUInt8(length, headBytes - 2 + index)
  const signed = Buffer.concat([head, ...texts])
  return Buffer.concat([signed, signature(signed, key)])
}

/** What a datagram says, whoever sent it; null when it is no beat. */
export function decodeBeat(datagram: Uint8Array): Beat | null {
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  if (bytes.length < headBytes + macBytes || !bytes.subarray(0, magic.length).equals(magic)) return null
  const kind = kinds[bytes.readUInt8(magic.length)]
  const [nodeBytes, bootBytes] = [bytes.readUInt8(headBytes - 2), bytes.readUInt8(headBytes - 1)]
  if (kind === undefined || bytes.length !== headBytes + nodeBytes + bootBytes + macBytes) return null
  return {
    kind,
    counter: bytes.readUIntBE(magic.length + 1, counterBytes),
    node: bytes.toString('utf8', headBytes, headBytes + nodeBytes),
    bootId: bytes.toString('utf8', headBytes + nodeBytes, headBytes + nodeBytes + bootBytes),
  }
}

/** Whether it was made by somebody who has the key. */
export function isSignedBy(datagram: Uint8Array, key: BeatKey): boolean {
  const split = datagram.length - macBytes
  return split > 0 && timingSafeEqual(datagram.subarray(split), signature(datagram.subarray(0, split), key))
}
