import type { Command } from 'commander'

import { badDocuments } from '../deploy/input.ts'
import { addFiles } from '../options.ts'
import { plural } from '../output/text.ts'
import type { Toolkit } from '../toolkit.ts'

export function defineValidate(command: Command, { cli, action }: Toolkit): void {
  addFiles(command)
    .addHelpText(
      'after',
      '\nNeeds no control plane. Problems are shown as FILE:LINE:COLUMN: message.',
    )
    .action(
      action(async ({ file }: { readonly file: readonly string[] }) => {
        const { readDocuments } = await import('../documents/read.ts')
        const { checkDocuments } = await import('../documents/check.ts')
        const read = await readDocuments(file, cli.stdin)
        const lines = checkDocuments(read)
        if (lines.length > 0) throw badDocuments(lines)
        cli.stdout.write(`${plural(read.documents.length, 'document')}: no problems\n`)
      }),
    )
}
