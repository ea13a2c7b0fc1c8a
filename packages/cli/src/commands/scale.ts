import type { Command } from 'commander'

import { findService, shownService } from '../names/service-name.ts'
import { addEnvironment, addOutput, addWait, countOption, type WaitOptions } from '../options.ts'
import type { Structured } from '../output/structured.ts'
import { plural } from '../output/text.ts'
import { changeService, type ServiceOptions } from '../services/change-service.ts'
import type { Toolkit } from '../toolkit.ts'

interface ScaleOptions extends WaitOptions, ServiceOptions {
  readonly replicas: number
  readonly output: 'text' | Structured
}

export function defineScale(command: Command, toolkit: Toolkit): void {
  addEnvironment(command.argument('<service>', 'NAME or NAME.ENV'))
  addOutput(addWait(command, 'the service has converged'), ['text', 'json', 'yaml'])
    .requiredOption('--replicas <n>', 'how many instances there shall be', countOption)
    .action(
      toolkit.action(async (given: string, options: ScaleOptions) => {
        const connection = await toolkit.connect()
        const { signal } = toolkit.cli
        const service = await findService(connection, given, options.environment, signal)
        const { desired } = service.replicas
        const { replicas } = options
        const done = (): string =>
          desired === replicas
            ? `${shownService(service)}: has ${plural(replicas, 'replica')} already`
            : `${shownService(service)}: scaled from ${desired} to ${plural(replicas, 'replica')}`
        const change = { service, action: '/scale', body: { replicas }, done }
        await changeService(change, options, connection, toolkit.cli)
      }),
    )
}
