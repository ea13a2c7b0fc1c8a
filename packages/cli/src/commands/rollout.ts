import type { ServiceView, UndoView } from '@bulkhead/shared'
import type { Command } from 'commander'

import type { Cli } from '../cli.ts'
import { findService, shownService } from '../names/service-name.ts'
import { addEnvironment, addOutput, addWait, countOption, type WaitOptions } from '../options.ts'
import type { Structured } from '../output/structured.ts'
import { rolloutHistory } from '../rollout/history.ts'
import { rolloutStatus, type StatusOptions } from '../rollout/status.ts'
import { changeService, type ServiceOptions } from '../services/change-service.ts'
import type { Connection, Toolkit } from '../toolkit.ts'

interface ActOptions extends Partial<WaitOptions>, ServiceOptions {
  readonly output: 'text' | Structured
  readonly to?: number
  readonly full?: boolean
}

const texts = ['text', 'json', 'yaml']

async function act(
  verb: 'undo' | 'pause' | 'resume' | 'promote',
  words: (changed: Partial<UndoView>) => string,
  given: string,
  options: ActOptions,
  { connection, cli }: { readonly connection: Connection; readonly cli: Cli },
): Promise<void> {
  const service = await findService(connection, given, options.environment, cli.signal)
  const { to, full } = options
  const body = { ...(to === undefined ? {} : { to }), ...(full ? { full } : {}) }
  const done = (changed: ServiceView): string => `${shownService(service)}: ${words(changed)}`
  const change = { service, action: `/${verb}`, body, done }
  await changeService(change, options, connection, cli)
}

const backTo = ({ undoneTo, revision }: Partial<UndoView>): string =>
  `going back to the content of revision ${undoneTo}, as revision ${revision}`

export function defineRollout(command: Command, { cli, connect, action }: Toolkit): void {
  const sub = (name: string, summary: string): Command =>
    addEnvironment(command.command(name).summary(summary).description(`${summary}.`)).argument(
      '<service>',
      'NAME or NAME.ENV',
    )
  addOutput(sub('status', 'Show how far the latest rollout is'), texts)
    .option('-w, --watch', 'follow it until it ends; exit code 1 when it fails')
    .action(
      action(async (given: string, options: StatusOptions) =>
        rolloutStatus(given, options, { connection: await connect(), cli }),
      ),
    )
  addOutput(sub('history', 'Show revisions and rollouts'), [
    'table',
    'wide',
    'json',
    'yaml',
  ]).action(
    action(async (given: string, options: Parameters<typeof rolloutHistory>[1]) =>
      rolloutHistory(given, options, { connection: await connect(), cli }),
    ),
  )
  addOutput(addWait(sub('undo', 'Go back to an earlier revision'), 'it has converged'), texts)
    .option('--to <revision>', 'which one; without it the one before', countOption)
    .action(
      action(async (given: string, options: ActOptions) => {
        await act('undo', backTo, given, options, {
          connection: await connect(),
          cli,
        })
      }),
    )
  const plain = { pause: 'paused', resume: 'resumed', promote: 'promoted' } as const
  const summaries = {
    pause: 'Stop a rollout where it is',
    resume: 'Go on with a paused rollout',
    promote: 'Let a canary or blue-green rollout go on to its next step',
  }
  for (const verb of ['pause', 'resume', 'promote'] as const) {
    const own = addOutput(sub(verb, summaries[verb]), texts)
    if (verb === 'promote')
      own.option('--full', 'all steps that are left, not only the present one')
    own.action(
      action(async (given: string, options: ActOptions) =>
        act(verb, () => plain[verb], given, options, { connection: await connect(), cli }),
      ),
    )
  }
}
