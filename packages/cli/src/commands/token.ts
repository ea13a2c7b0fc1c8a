import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import type { Toolkit } from '../toolkit.ts'

interface TokenOptions {
  readonly node?: boolean
  readonly metrics?: boolean
  readonly name?: string
  readonly zone?: string
}

export function defineToken(command: Command, { cli, connect, action }: Toolkit): void {
  command
    .command('create')
    .summary('Print a new token, and nothing else')
    .description('Print a new token, and nothing else.')
    .option('--node', 'a token with which a node joins')
    .option('--metrics', 'a token that reads /metrics, and nothing else')
    .option('--name <node>', 'only a node of this name may use it')
    .option('--zone <zone>', 'only for this zone')
    .action(
      action(async ({ node, metrics, name, zone }: TokenOptions) => {
        if ((node === true) === (metrics === true)) {
          const advice = 'write bulkhead token create --node, or --metrics'
          const named = node === true ? 'two kinds of token are' : 'no kind of token is'
          throw new BulkheadError('bad-usage', `token create: ${named} named`, advice)
        }
        const { client } = await connect()
        const body = {
          kind: node === true ? 'join' : 'metrics',
          ...(name === undefined ? {} : { node: name }),
          ...(zone === undefined ? {} : { zone }),
        }
        const { signal } = cli
        const { token } = await client.request<{ token: string }>('POST', '/v1/tokens', {
          body,
          signal,
        })
        cli.stdout.write(`${token}\n`)
      }),
    )
}
