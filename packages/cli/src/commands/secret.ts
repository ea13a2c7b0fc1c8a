import { readFile } from 'node:fs/promises'

import type { SecretView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import type { Cli } from '../cli.ts'
import { lookOf } from '../get/get-once.ts'
import { columnsOf } from '../kinds/kind.ts'
import { checkName } from '../names/check-name.ts'
import { addEnvironment, addOutput } from '../options.ts'
import { formatAge } from '../output/quantity.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import { writeTable } from '../output/write-table.ts'
import type { Toolkit } from '../toolkit.ts'

interface SetOptions {
  readonly environment?: string
  readonly file: string
}

interface ListOptions {
  readonly environment?: string
  readonly output: 'table' | Structured
}

const maxBytes = 65_536
const defaultEnvironment = 'default'

const { heads, row } = columnsOf<SecretView>([
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'ENVIRONMENT', unless: 'environment', cell: ({ environment }) => environment },
  { title: 'VERSION', align: 'right', cell: ({ version }) => String(version) },
  { title: 'AGE', cell: ({ updatedAt }, { nowMs }) => formatAge(updatedAt, nowMs) },
])

function pathOf(name: string, environment = defaultEnvironment): string {
  checkName('secret', name)
  return `/v1/secrets/${[environment, name].map(encodeURIComponent).join('/')}`
}

/** The bytes as they are: nobody knows whether a line's end belongs to it. */
async function readValue(file: string, cli: Cli): Promise<Buffer> {
  if (file !== '-') {
    return readFile(file).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is no such file' : error.message
      throw new BulkheadError(
        'bad-usage',
        `${file}: ${why}`,
        'name a file, or - for standard input',
      )
    })
  }
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of cli.stdin) {
    chunks.push(Buffer.from(chunk))
    length += chunk.length
    if (length > maxBytes) break
  }
  return Buffer.concat(chunks)
}

export function defineSecret(command: Command, toolkit: Toolkit): void {
  defineSet(command, toolkit)
  defineList(command, toolkit)
  defineOthers(command, toolkit)
}

function defineSet(command: Command, { cli, connect, action }: Toolkit): void {
  const set = command
    .command('set')
    .summary('Set the value of a secret')
    .argument('<name>', 'which one')
  addEnvironment(set.description('Set the value of a secret; it is never shown again.'))
    .requiredOption('-f, --file <path>', 'file with the value, or - for standard input')
    .action(
      action(async (name: string, { environment, file }: SetOptions) => {
        const bytes = await readValue(file, cli)
        if (bytes.length === 0 || bytes.length > maxBytes) {
          const why = bytes.length === 0 ? 'it is empty' : 'it has more than 64 KiB'
          throw new BulkheadError('bad-usage', `the value of ${name}: ${why}`, 'give another file')
        }
        const { client } = await connect()
        const { signal } = cli
        const body = { value: bytes.toString('base64') }
        const request = { body, signal }
        const { version } = await client.request<{ version: number }>(
          'POST',
          pathOf(name, environment),
          request,
        )
        cli.stdout.write(`${name}.${environment ?? defaultEnvironment}: set, version ${version}\n`)
      }),
    )
}

function defineList(command: Command, { cli, connect, action }: Toolkit): void {
  const list = command
    .command('list')
    .summary('List secrets, without their values')
    .description('List secrets, without their values.')
  addOutput(addEnvironment(list), ['table', 'json', 'yaml']).action(
    action(async ({ environment, output }: ListOptions) => {
      const { client } = await connect()
      const { signal } = cli
      const view = await client.request<{ items: readonly SecretView[] }>('GET', '/v1/secrets', {
        signal,
      })
      const items = view.items.filter(
        (one) => environment === undefined || one.environment === environment,
      )
      if (output !== 'table') return writeStructured(cli.stdout, output, { ...view, items })
      const look = { look: lookOf(cli), wide: false }
      const table = { heads, rows: (item: SecretView) => [row(item, lookOf(cli))] }
      return writeTable(cli.stdout, table, items, look)
    }),
  )
}

function defineOthers(command: Command, { cli, connect, action }: Toolkit): void {
  const remove = command
    .command('delete')
    .summary('Delete a secret')
    .argument('<name>', 'which one')
  addEnvironment(remove.description('Delete a secret.')).action(
    action(async (name: string, { environment }: { readonly environment?: string }) => {
      const { client } = await connect()
      await client.request('DELETE', pathOf(name, environment), { signal: cli.signal })
      cli.stdout.write(`${name}.${environment ?? defaultEnvironment}: deleted\n`)
    }),
  )
  command
    .command('rotate')
    .summary('Seal all secrets with a new key')
    .description('Seal all secrets with a new key; their values stay.')
    .action(
      action(async () => {
        const { client } = await connect()
        const { signal } = cli
        const { rotated } = await client.request<{ rotated: number }>('POST', '/v1/secrets', {
          body: {},
          signal,
        })
        cli.stdout.write(`sealed with a new key: ${rotated}\n`)
      }),
    )
}
