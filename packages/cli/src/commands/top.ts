import type { NodeView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { lookOf } from '../get/get-once.ts'
import type { Given } from '../kinds/kind.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { addOutput, environmentOption } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import { writeTable } from '../output/write-table.ts'
import type { Toolkit } from '../toolkit.ts'
import { type Usage, topInstances, topNodes } from '../top/tables.ts'

interface TopOptions {
  readonly environment?: string
  readonly output: 'table' | Structured
}

const noEnvironmentOfNodes = new BulkheadError(
  'bad-usage',
  'top nodes: nodes are of no environment',
  'leave -e out, or see bulkhead top instances -e ENV',
)

export function defineTop(command: Command, { cli, connect, action }: Toolkit): void {
  addOutput(command.argument('<kind>', 'nodes or instances'), ['table', 'json', 'yaml'])
    .option('-e, --environment <env>', 'only instances of it', environmentOption)
    .action(
      action(async (word: string, { output, environment }: TopOptions) => {
        const { signal } = cli
        const kind = kindNamed(word, ['nodes', 'instances'])
        if (kind === 'nodes' && environment !== undefined) throw noEnvironmentOfNodes
        const { client } = await connect()
        const all = await client.request<{ readonly items: readonly Usage[] }>(
          'GET',
          `/v1/top/${kind}`,
          {
            signal,
          },
        )
        const isWanted = (usage: Usage) =>
          environment === undefined || usage.environment === environment
        const used = { ...all, items: all.items.filter(isWanted) }
        if (output !== 'table') {
          await writeStructured(cli.stdout, output, used)
          return
        }
        if (used.items.length === 0) {
          cli.stderr.write(`no ${kind} that tell what they use\n`)
          return
        }
        const nodes: readonly NodeView[] =
          kind === 'nodes' ? (await client.list('nodes', {}, signal)).items : []
        const given: readonly Given[] = environment === undefined ? [] : ['environment']
        const table = kind === 'nodes' ? topNodes(nodes) : topInstances
        const busiest = used.items.toSorted((a, b) => b.cpuMillis - a.cpuMillis)
        await writeTable(cli.stdout, table, busiest, { look: lookOf(cli), wide: false, given })
      }),
    )
}
