import { Option, type Command } from 'commander'

import { untilInterrupted } from '../errors/until-interrupted.ts'
import type { Toolkit } from '../toolkit.ts'
import { version } from '../version.ts'

interface ControlPlaneFlags {
  readonly data: string
  readonly listen?: string
  readonly store?: string
  readonly config?: string
}

export function defineControlPlane(command: Command, { cli, action }: Toolkit): void {
  command
    .requiredOption('--data <dir>', 'where the state is kept; made when it is not there')
    .option('--listen <host:port>', 'where to serve the API (default: 127.0.0.1:7070)')
    .addOption(new Option('--store <store>', 'sqlite, or etcd://HOST:PORT,…').default('sqlite'))
    .option('--config <file>', 'settings in YAML; options win over it')
    .addHelpText(
      'after',
      '\nThe first start writes DIR/admin.yaml, the context file of an administrator:\n' +
        '  export BULKHEAD_CONTEXT=DIR/admin.yaml',
    )
    .action(
      action(async (flags: ControlPlaneFlags) => {
        const { runControlPlane } = await import('@bulkhead/controlplane')
        await untilInterrupted(cli.signal, runControlPlane({ ...flags, version }, cli.signal))
      }),
    )
}
