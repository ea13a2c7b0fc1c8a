import type { ApplyRequest, ApplyResult } from '@bulkhead/shared'
import type { Command } from 'commander'

import { objectLines, shownCounts, warningLines } from '../deploy/changes.ts'
import { documentsTimeoutMs, located, readInput } from '../deploy/input.ts'
import { addFiles, addOutput } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import { styleFor } from '../output/style.ts'
import type { Toolkit } from '../toolkit.ts'

interface DiffOptions {
  readonly file: readonly string[]
  readonly prune?: boolean
  readonly output: 'text' | Structured
}

export function defineDiff(command: Command, { cli, connect, action }: Toolkit): void {
  addOutput(addFiles(command), ['text', 'json', 'yaml'])
    .option('--prune', 'count services that are not among the documents as deleted')
    .addHelpText('after', '\nExit codes: 0 no change, 1 changes, 2 error.')
    .action(
      action(async ({ file, prune, output }: DiffOptions) => {
        const read = await readInput(file, cli)
        const { client } = await connect()
        const body: ApplyRequest = { documents: read.documents, prune: prune === true }
        const { signal } = cli
        const result = await located(read, () =>
          client.request<ApplyResult>('POST', '/v1/diff', {
            body,
            signal,
            timeoutMs: documentsTimeoutMs,
          }),
        )
        const changed = result.objects.filter((object) => object.action !== 'unchanged')
        if (output === 'text') {
          const style = styleFor(cli.stdout, cli.env)
          const lines = changed.flatMap((object) => [...objectLines(object, style), ''])
          const warnings = warningLines(result, styleFor(cli.stderr, cli.env))
          cli.stdout.write(`${[...lines, shownCounts(result)].join('\n')}\n`)
          for (const line of warnings) cli.stderr.write(`${line}\n`)
        } else {
          await writeStructured(cli.stdout, output, result)
        }
        return changed.length > 0 ? 1 : 0
      }),
    )
}
