import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { findInstanceOrNull, isInstanceId } from '../names/instance-name.ts'
import { findServiceOrNull } from '../names/service-name.ts'
import { addEnvironment, countOption, durationOption } from '../options.ts'
import { readLogs } from '../streams/log-reader.ts'
import { followServiceLogs, printedBy, readServiceLogs } from '../streams/service-logs.ts'
import type { Toolkit } from '../toolkit.ts'

interface LogsOptions {
  readonly environment?: string
  readonly follow?: boolean
  readonly since?: number
  readonly tail?: number
}

export function defineLogs(command: Command, { cli, connect, action }: Toolkit): void {
  addEnvironment(command.argument('<name>', 'a service, an instance, or SERVICE-SLOT'))
    .option('-f, --follow', 'go on with what is printed, until interrupted')
    .option('--since <duration>', 'only of the last 10m, 2h …', durationOption)
    .option('--tail <n>', 'only the last so many lines of each instance', countOption)
    .action(
      action(async (given: string, { environment, follow, since, tail }: LogsOptions) => {
        const { signal } = cli
        const connection = await connect()
        const deps = { client: connection.client, cli }
        const sinceMs = since === undefined ? undefined : cli.clock.nowMs() - since
        const query = { follow: follow === true ? true : undefined, sinceMs, tail }
        const service = isInstanceId(given)
          ? null
          : await findServiceOrNull(connection, given, environment, signal)
        if (service !== null) {
          const read = follow === true ? followServiceLogs : readServiceLogs
          await read(service, query, deps)
          return
        }
        const instance = await findInstanceOrNull(connection, given, environment, signal)
        if (instance !== null) {
          const id = isInstanceId(given) ? given : (printedBy(instance) ?? instance.id)
          await readLogs(id, query, deps)
          return
        }
        const advice = 'see bulkhead get services and bulkhead get instances'
        throw new BulkheadError(
          'not-found',
          `logs: there is no service or instance ${given}`,
          advice,
        )
      }),
    )
}
