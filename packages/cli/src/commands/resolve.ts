import type { Endpoint, EndpointsView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { lookOf } from '../get/get-once.ts'
import { columnsOf } from '../kinds/kind.ts'
import { findService, shownService } from '../names/service-name.ts'
import { addEnvironment, addOutput } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import { writeTable } from '../output/write-table.ts'
import type { Toolkit } from '../toolkit.ts'

interface ResolveOptions {
  readonly environment?: string
  readonly port?: string
  readonly output: 'table' | Structured
}

const { heads, row } = columnsOf<Endpoint>([
  { title: 'ADDRESS', cell: ({ address, hostPort }) => `${address}:${hostPort}` },
  { title: 'PORT', cell: ({ port }) => port },
  { title: 'INSTANCE', cell: ({ instance }) => instance },
  { title: 'NODE', cell: ({ node }) => node },
  { title: 'ZONE', cell: ({ zone }) => zone },
])

export function defineResolve(command: Command, { cli, connect, action }: Toolkit): void {
  addEnvironment(command.argument('<service>', 'NAME or NAME.ENV'))
  addOutput(command, ['table', 'json', 'yaml'])
    .option('--port <name>', 'only this port')
    .addHelpText('after', '\nHealthy instances only. Exit code 1: there is none.')
    .action(
      action(async (given: string, { environment, port, output }: ResolveOptions) => {
        const { signal } = cli
        const connection = await connect()
        const service = await findService(connection, given, environment, signal)
        const name = shownService(service)
        const path = [service.environment, service.name].map(encodeURIComponent).join('/')
        const query = { port }
        const { client } = connection
        const view = await client.request<EndpointsView>('GET', `/v1/discovery/${path}`, {
          query,
          signal,
        })
        if (output !== 'table') await writeStructured(cli.stdout, output, view)
        if (view.endpoints.length === 0) {
          const what =
            port === undefined ? 'no healthy instance' : `no healthy instance with port ${port}`
          throw new BulkheadError(
            'did-not-happen',
            `${name}: ${what}`,
            `see bulkhead explain ${name}`,
          )
        }
        if (output !== 'table') return
        const table = { heads, rows: (item: Endpoint) => [row(item, lookOf(cli))] }
        await writeTable(cli.stdout, table, view.endpoints, { look: lookOf(cli), wide: false })
      }),
    )
}
