import type { Command } from 'commander'

import { formatBytes } from '../output/quantity.ts'
import type { Toolkit } from '../toolkit.ts'

/** The copy is made and checked before its first byte is sent. */
const timeoutMs = 600_000

export function defineBackup(command: Command, { cli, connect, action }: Toolkit): void {
  command
    .argument('<file>', 'a new file; one that exists is never overwritten')
    .addHelpText('after', '\nThe control plane goes on meanwhile. See bulkhead restore --help.')
    .action(
      action(async (file: string) => {
        const { saveBackup } = await import('../backup/save.ts')
        const { client } = await connect()
        const { signal } = cli
        const request = { body: {}, signal, timeoutMs }
        const bytes = await saveBackup(file, client.bytes('POST', '/v1/backup', request))
        cli.stdout.write(`${file}: saved, ${formatBytes(bytes)}B\n`)
      }),
    )
}
