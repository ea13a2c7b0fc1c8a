import type { ApplyResult, ObjectChange } from '@bulkhead/shared'
import type { Command } from 'commander'

import type { Cli } from '../cli.ts'
import { shownObject } from '../deploy/changes.ts'
import { type DocumentOptions, submit } from '../deploy/submit.ts'
import { writeWarnings } from '../deploy/warnings.ts'
import { addFiles, addOutput, addWait, type WaitOptions } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import { type Style, styleFor } from '../output/style.ts'
import type { Toolkit } from '../toolkit.ts'
import type { Target } from '../wait/judge.ts'
import { waitWithProgress } from '../wait/wait-command.ts'

interface ApplyOptions extends WaitOptions, DocumentOptions {
  readonly output: 'text' | Structured
}

const words: Readonly<Record<ObjectChange['action'], readonly [string, keyof Style]>> = {
  create: ['created', 'green'],
  update: ['updated', 'yellow'],
  delete: ['deleting', 'red'],
  unchanged: ['unchanged', 'dim'],
}

function writeResult(result: ApplyResult, cli: Cli): void {
  const style = styleFor(cli.stdout, cli.env)
  for (const object of result.objects) {
    const [word, colour] = words[object.action]
    const isNew = object.kind === 'Service' && ['create', 'update'].includes(object.action)
    const revision = isNew ? style.dim(`, revision ${object.revision}`) : ''
    cli.stdout.write(`${shownObject(object)}: ${style[colour](word)}${revision}\n`)
  }
  writeWarnings(result, cli)
}

/** Unchanged services are waited for as well: what is asked for is that they are as the documents say. */
function targetsOf({ objects }: ApplyResult): Target[] {
  return objects.flatMap(({ kind, name, environment, action, revision }) => {
    if (kind !== 'Service' || environment === null) return []
    return [{ environment, name, revision: action === 'delete' ? null : revision }]
  })
}

export function defineApply(command: Command, { cli, connect, action }: Toolkit): void {
  addOutput(addWait(addFiles(command), 'all services have converged'), ['text', 'json', 'yaml'])
    .option('--prune', "delete the services of the documents' environments that are not among them")
    .option('--allow-pending', 'accept what no set of the nodes known now can satisfy')
    .action(
      action(async (options: ApplyOptions) => {
        const { output, wait, timeout } = options
        const { result, client } = await submit('apply', options, { cli, connect })
        if (output === 'text') writeResult(result, cli)
        else await writeStructured(cli.stdout, output, result)
        if (wait !== true) return
        const silent = output !== 'text'
        await waitWithProgress(targetsOf(result), { client, cli, timeoutMs: timeout, silent })
      }),
    )
}
