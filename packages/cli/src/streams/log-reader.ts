import { BulkheadError, type Client, type Query } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import type { Paint } from '../output/style.ts'
import { cleanText } from '../output/text.ts'
import { chunksOf } from './chunks.ts'
import { LinePrefixer } from './line-prefixer.ts'

export interface LogDeps {
  readonly client: Client
  readonly cli: Cli
}

const requestFor = (id: string, query: Query, signal: AbortSignal) =>
  ({ method: 'GET', path: `/v1/instances/${encodeURIComponent(id)}/logs`, query, signal }) as const

/** The logs of one instance, byte by byte as they were printed. */
export async function readLogs(id: string, query: Query, { client, cli }: LogDeps): Promise<void> {
  const request = requestFor(id, query, cli.signal)
  for await (const { channel, data } of chunksOf(client, `logs of ${id}`, request)) {
    cli[channel].write(data)
  }
}

/** The logs of one instance of several, each line with its id; what goes wrong is a warning. */
export async function readPrefixedLogs(
  id: string,
  paint: Paint,
  query: Query,
  { client, cli }: LogDeps,
): Promise<void> {
  const lines = {
    stdout: new LinePrefixer(`${paint(id)} `),
    stderr: new LinePrefixer(`${paint(id)} `),
  }
  try {
    const request = requestFor(id, query, cli.signal)
    for await (const { channel, data } of chunksOf(client, `logs of ${id}`, request)) {
      cli[channel].write(lines[channel].push(data))
    }
  } catch (error) {
    if (!(error instanceof BulkheadError)) throw error
    cli.stderr.write(`warning: ${cleanText(error.message)}\n`)
  } finally {
    cli.stdout.write(lines.stdout.flush())
    cli.stderr.write(lines.stderr.flush())
  }
}
