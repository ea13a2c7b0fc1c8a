import type { OutputChunk } from './engine.ts'

/** Longest line of JSON that an engine may send; more means that it is not one. */
const maxLineBytes = 1024 * 1024

/** Splits a stream of JSON, one value a line. */
export async function* jsonLines(stream: AsyncIterable<Buffer>): AsyncGenerator {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const data of stream) {
    const lines = (rest + decoder.decode(data, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxLineBytes) throw new Error('the engine sent a line without end')
    for (const line of lines) {
      if (line.trim() !== '') yield JSON.parse(line)
    }
  }
  if (rest.trim() !== '') yield JSON.parse(rest)
}

const headerBytes = 8

/** Takes the engine's multiplexed output apart: a header of stream number and length before each piece. */
export async function* demultiplex(stream: AsyncIterable<Buffer>): AsyncGenerator<OutputChunk> {
  let pending: Buffer = Buffer.alloc(0)
  for await (const data of stream) {
    pending = pending.length === 0 ? data : Buffer.concat([pending, data])
    while (pending.length >= headerBytes) {
      const end = headerBytes + pending.readUInt32BE(4)
      if (pending.length < end) break
      const channel = pending[0] === 2 ? 'stderr' : 'stdout'
      yield { channel, data: pending.subarray(headerBytes, end) }
      pending = pending.subarray(end)
    }
  }
}
