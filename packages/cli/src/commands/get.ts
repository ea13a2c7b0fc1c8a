import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { getOnce, getRevisions } from '../get/get-once.ts'
import { getWatched } from '../get/get-watched.ts'
import { type GetOptions, requestOf } from '../get/request.ts'
import { kindNamed, kindNames } from '../kinds/kinds.ts'
import { findService } from '../names/service-name.ts'
import { addEnvironment, addOutput } from '../options.ts'
import type { Toolkit } from '../toolkit.ts'

const noService = new BulkheadError(
  'bad-usage',
  'get revisions: no service is named',
  'write bulkhead get revisions SERVICE',
)

export function defineGet(command: Command, toolkit: Toolkit): void {
  command
    .argument('<kind>', `${kindNames.join(', ')}; also singular or short (svc, i, n …)`)
    .argument('[name]', 'only this one; for instances also their service')
  addEnvironment(command)
  addOutput(command, ['table', 'wide', 'json', 'yaml'])
    .option('-A, --all-environments', "also those outside the context's environment")
    .option('-w, --watch', 'go on with what changes, until interrupted')
    .option('--all', 'instances that are gone, too')
    .option('--service <service>', 'only instances or rollouts of this service')
    .option('--node <node>', 'only instances on this node')
    .action(
      toolkit.action(async (word: string, name: string | undefined, options: GetOptions) => {
        const kind = kindNamed(word)
        const connection = await toolkit.connect()
        const { cli } = toolkit
        const deps = { client: connection.client, cli }
        const request = requestOf(kind, name, options, connection.context)
        if (kind === 'revisions') {
          if (name === undefined) throw noService
          const service = await findService(connection, name, options.environment, cli.signal)
          await getRevisions(service, { ...request, name: undefined }, deps)
          return
        }
        if (options.watch === true) await getWatched(kind, request, deps)
        else await getOnce(kind, request, deps)
      }),
    )
}
