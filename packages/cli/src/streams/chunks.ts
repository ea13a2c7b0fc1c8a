import { BulkheadError, type Client, type Query } from '@bulkhead/shared/client'

/** A line of the API's streams of logs and of commands. */
type Line =
  | { readonly channel: 'stdout' | 'stderr'; readonly data: string }
  | { readonly end: true; readonly error: string; readonly exitCode?: number }

export interface Chunk {
  readonly channel: 'stdout' | 'stderr'
  readonly data: Uint8Array
}

export interface StreamRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query?: Query
  readonly body?: unknown
  readonly signal: AbortSignal
}

/**
 * Hands over what an instance prints and returns the exit code of a command, null for logs. Throws
 * BulkheadError when the stream ended with an error, or without saying that it ended.
 */
export async function* chunksOf(
  client: Client,
  what: string,
  { method, path, ...request }: StreamRequest,
): AsyncGenerator<Chunk, number | null> {
  for await (const line of client.lines<Line>(method, path, request)) {
    if (!('end' in line)) {
      yield { channel: line.channel, data: Buffer.from(line.data, 'base64') }
      continue
    }
    if (line.error !== '') throw new BulkheadError('did-not-happen', `${what}: ${line.error}`)
    return line.exitCode ?? null
  }
  const advice = 'the connection may have been cut; try again'
  throw new BulkheadError('unreachable', `${what}: the stream ended in the middle`, advice)
}
