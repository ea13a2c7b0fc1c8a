import type { Command } from 'commander'

import type { Toolkit } from '../toolkit.ts'

interface RestoreOptions {
  readonly data: string
  readonly force?: boolean
}

export function defineRestore(command: Command, { cli, action }: Toolkit): void {
  command
    .argument('<file>', 'what bulkhead backup made')
    .requiredOption('--data <dir>', "the control plane's data directory")
    .option('--force', 'replace the state that is there')
    .addHelpText(
      'after',
      '\nWorks offline: no control plane may run on the directory. All tokens, those of\n' +
        'administrators and nodes among them, are again those of the backup.',
    )
    .action(
      action(async (file: string, { data, force }: RestoreOptions) => {
        const { restoreBackup } = await import('../backup/restore.ts')
        const kept = await restoreBackup(file, data, force === true)
        cli.stdout.write(`${data}: restored from ${file}\n`)
        if (kept !== null) cli.stdout.write(`the state from before is in ${kept}\n`)
      }),
    )
}
