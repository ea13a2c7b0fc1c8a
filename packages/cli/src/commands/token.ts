import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import type { Toolkit } from '../toolkit.ts'

interface TokenOptions {
  readonly node?: boolean
  readonly name?: string
  readonly zone?: string
}

export function defineToken(command: Command, { cli, connect, action }: Toolkit): void {
  command
    .command('create')
    .summary('Print a new token, and nothing else')
    .description('Print a new token, and nothing else.')
    .option('--node', 'a token with which a node joins')
    .option('--name <node>', 'only a node of this name may use it')
    .option('--zone <zone>', 'only for this zone')
    .action(
      action(async ({ node, name, zone }: TokenOptions) => {
        if (node !== true) {
          const advice = 'write bulkhead token create --node'
          throw new BulkheadError('bad-usage', 'token create: no kind of token is named', advice)
        }
        const { client } = await connect()
        const body = {
          kind: 'join',
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
