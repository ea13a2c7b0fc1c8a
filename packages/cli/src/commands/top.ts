import type { NodeView } from '@bulkhead/shared'
import type { Command } from 'commander'

import { lookOf } from '../get/get-once.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { addOutput } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import { writeTable } from '../output/write-table.ts'
import type { Toolkit } from '../toolkit.ts'
import { type Usage, topInstances, topNodes } from '../top/tables.ts'

interface TopOptions {
  readonly output: 'table' | Structured
}

export function defineTop(command: Command, { cli, connect, action }: Toolkit): void {
  addOutput(command.argument('<kind>', 'nodes or instances'), ['table', 'json', 'yaml']).action(
    action(async (word: string, { output }: TopOptions) => {
      const { signal } = cli
      const kind = kindNamed(word, ['nodes', 'instances'])
      const { client } = await connect()
      const used = await client.request<{ readonly items: readonly Usage[] }>(
        'GET',
        `/v1/top/${kind}`,
        {
          signal,
        },
      )
      if (output !== 'table') {
        await writeStructured(cli.stdout, output, used)
        return
      }
      if (used.items.length === 0) {
        cli.stderr.write(`no ${kind}\n`)
        return
      }
      const nodes: readonly NodeView[] =
        kind === 'nodes' ? (await client.list('nodes', {}, signal)).items : []
      const table = kind === 'nodes' ? topNodes(nodes) : topInstances
      const busiest = used.items.toSorted((a, b) => b.cpuMillis - a.cpuMillis)
      await writeTable(cli.stdout, table, busiest, { look: lookOf(cli), wide: false })
    }),
  )
}
