import type { EventView } from '@bulkhead/shared'
import { Option, type Command } from 'commander'

import { readEnvironmentFilter } from '../events/environment-filter.ts'
import { getOnce } from '../get/get-once.ts'
import { getWatched } from '../get/get-watched.ts'
import type { GetRequest, OutputFormat } from '../get/request.ts'
import { addOutput, countOption, durationOption, environmentOption } from '../options.ts'
import type { Toolkit } from '../toolkit.ts'

interface EventsOptions {
  readonly environment?: string
  readonly follow?: boolean
  readonly subject?: string
  readonly kind?: EventView['kind']
  readonly limit: number
  readonly since?: number
  readonly output: OutputFormat
}

/** How many events are looked through for those of an environment. */
const searchedLimit = 1000

const kinds = ['Service', 'ExternalService', 'Instance', 'Node', 'Rollout', 'Zones', 'Token', 'Secret', 'Cluster']

export function defineEvents(command: Command, { cli, connect, action }: Toolkit): void {
  addOutput(command, ['table', 'wide', 'json', 'yaml'])
    .option(
      '-e, --environment <env>',
      'only of its services, their rollouts and instances',
      environmentOption,
    )
    .option('-f, --follow', 'go on with what happens, until interrupted')
    .option('--subject <key>', 'only of ENV/NAME of a service, an instance, or a node')
    .addOption(new Option('--kind <kind>', 'only of things of this kind').choices(kinds))
    .option('--since <duration>', 'only of the last 10m, 2h …', durationOption)
    .option('--limit <n>', 'at most the newest so many', countOption, 100)
    .action(
      action(async ({ follow, subject, kind, limit, since, ...options }: EventsOptions) => {
        const { environment, output } = options
        const { client } = await connect()
        const isOfEnvironment =
          environment === undefined
            ? () => true
            : await readEnvironmentFilter(environment, client, cli.signal)
        const asked = environment === undefined ? limit : Math.max(limit, searchedLimit)
        const sinceMs = since === undefined ? null : cli.clock.nowMs() - since
        const request: GetRequest = {
          name: undefined,
          output,
          query: { subject, kind, limit: asked },
          newest: limit,
        }
        const isWanted = (item: EventView): boolean =>
          (sinceMs === null || Date.parse(item.at) >= sinceMs) && isOfEnvironment(item)
        if (follow === true) await getWatched('events', request, { client, cli }, isWanted)
        else await getOnce('events', request, { client, cli }, isWanted)
      }),
    )
}
