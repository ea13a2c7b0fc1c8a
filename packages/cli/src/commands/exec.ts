import type { Command } from 'commander'

import { findInstance } from '../names/instance-name.ts'
import { addEnvironment } from '../options.ts'
import { chunksOf } from '../streams/chunks.ts'
import type { Toolkit } from '../toolkit.ts'

export function defineExec(command: Command, { cli, connect, action }: Toolkit): void {
  command
    .usage('[options] INSTANCE -- COMMAND [ARGUMENTS]')
    .argument('<instance>', 'an instance, or SERVICE-SLOT')
    .argument('<command...>', 'the command and its arguments')
  addEnvironment(command)
    .addHelpText('after', '\nThe exit code is that of the command, which has no standard input.')
    .action(
      action(async (given: string, words: readonly string[], options: { environment?: string }) => {
        const { signal } = cli
        const connection = await connect()
        const { id } = await findInstance(connection, given, options.environment, signal)
        const path = `/v1/instances/${encodeURIComponent(id)}/exec`
        const request = { method: 'POST', path, body: { command: words }, signal } as const
        const chunks = chunksOf(connection.client, `exec in ${id}`, request)
        for (;;) {
          const next = await chunks.next()
          if (next.done === true) return next.value ?? 0
          cli[next.value.channel].write(next.value.data)
        }
      }),
    )
}
