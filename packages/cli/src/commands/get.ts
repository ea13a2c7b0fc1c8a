import { BulkheadError, type ListName } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { getOnce, getRevisions, getSeveral } from '../get/get-once.ts'
import { getWatched } from '../get/get-watched.ts'
import { type GetOptions, type GetRequest, requestOf } from '../get/request.ts'
import { kindNamed, type KindName, kindNames } from '../kinds/kinds.ts'
import { findService } from '../names/service-name.ts'
import { addEnvironment, addOutput } from '../options.ts'
import type { Toolkit } from '../toolkit.ts'

const noService = new BulkheadError(
  'bad-usage',
  'get revisions: no service is named',
  'write bulkhead get revisions SERVICE',
)

/** Throws BulkheadError `bad-usage` for what only works by itself. */
function listsOf(
  requests: readonly (readonly [KindName, GetRequest])[],
  { watch }: GetOptions,
): readonly (readonly [ListName, GetRequest])[] {
  const names = requests.map(([kind]) => kind).join(',')
  const refuse = (why: string): never => {
    throw new BulkheadError('bad-usage', `get ${names}: ${why}`, 'ask for each by itself')
  }
  if (watch === true) refuse('--watch follows one kind at a time')
  return requests.map(([kind, request]) =>
    kind === 'revisions' ? refuse('revisions are of one service') : [kind, request],
  )
}

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
    .addHelpText(
      'after',
      '\nSeveral lists at once: bulkhead get services,instances\n' +
        'A column is left out where -e or --node says what is in it, except with -o wide.',
    )
    .action(
      toolkit.action(async (words: string, name: string | undefined, options: GetOptions) => {
        const kinds = [...new Set(words.split(',').map((word) => kindNamed(word)))]
        const connection = await toolkit.connect()
        const { cli } = toolkit
        const deps = { client: connection.client, cli }
        const requests = kinds.map(
          (kind) => [kind, requestOf(kind, name, options, connection.context)] as const,
        )
        const [[kind, request]] = requests as [(typeof requests)[number]]
        if (kinds.length > 1) {
          await getSeveral(listsOf(requests, options), deps)
        } else if (kind === 'revisions') {
          if (name === undefined) throw noService
          const service = await findService(connection, name, options.environment, cli.signal)
          await getRevisions(service, { ...request, name: undefined }, deps)
        } else if (options.watch === true) {
          await getWatched(kind, request, deps)
        } else {
          await getOnce(kind, request, deps)
        }
      }),
    )
}
