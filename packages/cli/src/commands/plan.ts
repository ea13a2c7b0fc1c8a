import type { Command } from 'commander'

import { writePlan } from '../deploy/plan-tables.ts'
import { type DocumentOptions, submit } from '../deploy/submit.ts'
import { writeWarnings } from '../deploy/warnings.ts'
import { addFiles, addOutput } from '../options.ts'
import { writeStructured } from '../output/structured.ts'
import type { Toolkit } from '../toolkit.ts'

interface PlanOptions extends DocumentOptions {
  readonly output: 'table' | 'wide' | 'json' | 'yaml'
}

export function definePlan(command: Command, { cli, connect, action }: Toolkit): void {
  addOutput(addFiles(command), ['table', 'wide', 'json', 'yaml'])
    .option('--prune', 'delete services that are not among the documents')
    .option('--allow-pending', 'accept what no set of the nodes known now can satisfy')
    .addHelpText('after', '\nChanges nothing. Exit code 3: something would be refused.')
    .action(
      action(async (options: PlanOptions) => {
        const { output } = options
        const { result } = await submit('plan', options, { cli, connect })
        if (output === 'table' || output === 'wide') {
          await writePlan(result, output === 'wide', cli)
          writeWarnings(result, cli)
        } else {
          await writeStructured(cli.stdout, output, result)
        }
        return result.refused.length > 0 ? 3 : 0
      }),
    )
}
