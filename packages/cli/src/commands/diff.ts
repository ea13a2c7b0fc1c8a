import type { Command } from 'commander'

import { objectLines, shownCounts } from '../deploy/changes.ts'
import { type DocumentOptions, submit } from '../deploy/submit.ts'
import { writeWarnings } from '../deploy/warnings.ts'
import { addFiles, addOutput } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import { styleFor } from '../output/style.ts'
import type { Toolkit } from '../toolkit.ts'

interface DiffOptions extends DocumentOptions {
  readonly output: 'text' | Structured
}

export function defineDiff(command: Command, { cli, connect, action }: Toolkit): void {
  addOutput(addFiles(command), ['text', 'json', 'yaml'])
    .option('--prune', 'count services that are not among the documents as deleted')
    .addHelpText('after', '\nExit codes: 0 no change, 1 changes, 2 error.')
    .action(
      action(async (options: DiffOptions) => {
        const { output } = options
        const { result } = await submit('diff', options, { cli, connect })
        const changed = result.objects.filter((object) => object.action !== 'unchanged')
        if (output === 'text') {
          const style = styleFor(cli.stdout, cli.env)
          const lines = changed.flatMap((object) => [...objectLines(object, style), ''])
          cli.stdout.write(`${[...lines, shownCounts(result)].join('\n')}\n`)
          writeWarnings(result, cli)
        } else {
          await writeStructured(cli.stdout, output, result)
        }
        return changed.length > 0 ? 1 : 0
      }),
    )
}
