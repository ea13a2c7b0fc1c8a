import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import type { Toolkit } from '../toolkit.ts'

interface TokenOptions {
  readonly node?: boolean
  readonly metrics?: boolean
  readonly discovery?: boolean
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
    .option('--discovery', 'a token that reads where services are, and nothing else')
    .option('--name <node>', 'only a node of this name may use it')
    .option('--zone <zone>', 'only for this zone')
    .action(
      action(async ({ node, metrics, discovery, name, zone }: TokenOptions) => {
        const kinds = [node && 'join', metrics && 'metrics', discovery && 'discovery']
        const [kind, another] = kinds.filter((one) => typeof one === 'string')
        if (kind === undefined || another !== undefined) {
          const advice = 'write bulkhead token create --node, --metrics or --discovery'
          const named = kind === undefined ? 'no kind of token is' : 'two kinds of token are'
          throw new BulkheadError('bad-usage', `token create: ${named} named`, advice)
        }
        const { client } = await connect()
        const body = {
          kind,
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
