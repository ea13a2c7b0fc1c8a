const lengthBytes = 2

export type Framed = { readonly messages: readonly Buffer[]; readonly rest: Buffer } | 'too-long'

/** Takes whole messages, each after its length in two bytes, from the beginning of a stream. */
export function takeFrames(stream: Buffer, maxBytes: number): Framed {
  const messages: Buffer[] = []
  let at = 0
  while (stream.length >= at + lengthBytes) {
    const length = stream.readUInt16BE(at)
    if (length > maxBytes) return 'too-long'
    const end = at + lengthBytes + length
    if (stream.length < end) break
    messages.push(stream.subarray(at + lengthBytes, end))
    at = end
  }
  return { messages, rest: stream.subarray(at) }
}

/** The message as it travels in a stream. */
export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(lengthBytes + message.length)
  framed.writeUInt16BE(message.length)
  message.copy(framed, lengthBytes)
  return framed
}
