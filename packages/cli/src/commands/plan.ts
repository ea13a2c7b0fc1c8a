import type { ApplyRequest, PlanResult } from '@bulkhead/shared'
import type { Command } from 'commander'

import { warningLines } from '../deploy/changes.ts'
import { documentsTimeoutMs, located, readInput } from '../deploy/input.ts'
import { writePlan } from '../deploy/plan-tables.ts'
import { addFiles, addOutput } from '../options.ts'
import { writeStructured } from '../output/structured.ts'
import { styleFor } from '../output/style.ts'
import type { Toolkit } from '../toolkit.ts'

interface PlanOptions {
  readonly file: readonly string[]
  readonly prune?: boolean
  readonly allowPending?: boolean
  readonly output: 'table' | 'wide' | 'json' | 'yaml'
}

export function definePlan(command: Command, { cli, connect, action }: Toolkit): void {
  addOutput(addFiles(command), ['table', 'wide', 'json', 'yaml'])
    .option('--prune', 'delete services that are not among the documents')
    .option('--allow-pending', 'accept what no set of the nodes known now can satisfy')
    .addHelpText('after', '\nChanges nothing. Exit code 3: something would be refused.')
    .action(
      action(async ({ file, prune, allowPending, output }: PlanOptions) => {
        const read = await readInput(file, cli)
        const { client } = await connect()
        const { documents } = read
        const body: ApplyRequest = {
          documents,
          prune: prune === true,
          allowPending: allowPending === true,
        }
        const { signal } = cli
        const result = await located(read, () =>
          client.request<PlanResult>('POST', '/v1/plan', {
            body,
            signal,
            timeoutMs: documentsTimeoutMs,
          }),
        )
        if (output === 'table' || output === 'wide') {
          await writePlan(result, output === 'wide', cli)
          const style = styleFor(cli.stderr, cli.env)
          for (const line of warningLines(result, style)) cli.stderr.write(`${line}\n`)
        } else {
          await writeStructured(cli.stdout, output, result)
        }
        return result.refused.length > 0 ? 3 : 0
      }),
    )
}
