import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { addOutput } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import type { Toolkit } from '../toolkit.ts'
import { version } from '../version.ts'

interface ServerVersion {
  readonly version: string
  readonly cluster: string
}

const timeoutMs = 3_000

export function defineVersion(command: Command, { cli, connect, action }: Toolkit): void {
  /** Not to reach a server is an answer here, not an error. */
  const askServer = async (): Promise<ServerVersion | string> => {
    try {
      const { client } = await connect()
      const { signal } = cli
      return await client.request<ServerVersion>('GET', '/v1/version', { signal, timeoutMs })
    } catch (error) {
      if (error instanceof BulkheadError) return error.message
      throw error
    }
  }
  addOutput(command, ['text', 'json', 'yaml']).action(
    action(async ({ output }: { readonly output: 'text' | Structured }) => {
      const server = await askServer()
      if (output !== 'text') {
        const value = typeof server === 'string' ? null : server
        await writeStructured(cli.stdout, output, { version, server: value })
        return
      }
      const told =
        typeof server === 'string' ? server : `${server.version}, cluster ${server.cluster}`
      cli.stdout.write(`bulkhead      ${version}\ncontrol plane ${told}\n`)
    }),
  )
}
