import type { Command } from 'commander'

import { findService, shownService } from '../names/service-name.ts'
import { addEnvironment, addOutput, addWait, type WaitOptions } from '../options.ts'
import type { Structured } from '../output/structured.ts'
import { changeService, type ServiceOptions } from '../services/change-service.ts'
import type { Toolkit } from '../toolkit.ts'

interface RestartOptions extends WaitOptions, ServiceOptions {
  readonly output: 'text' | Structured
}

export function defineRestart(command: Command, toolkit: Toolkit): void {
  addEnvironment(command.argument('<service>', 'NAME or NAME.ENV'))
  addOutput(addWait(command, 'all instances are replaced'), ['text', 'json', 'yaml'])
    .addHelpText('after', '\nInstances are replaced within the update policy of the service.')
    .action(
      toolkit.action(async (given: string, options: RestartOptions) => {
        const connection = await toolkit.connect()
        const { signal } = toolkit.cli
        const service = await findService(connection, given, options.environment, signal)
        const done = (): string => `${shownService(service)}: restarting`
        const change = { service, action: '/restart', body: {}, done }
        await changeService(change, options, connection, toolkit.cli)
      }),
    )
}
