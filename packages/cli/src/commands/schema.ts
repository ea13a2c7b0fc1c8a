import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { meant } from '../errors/nearest.ts'
import type { Toolkit } from '../toolkit.ts'

export function defineSchema(command: Command, { cli, action }: Toolkit): void {
  command
    .argument('[kind]', 'Service, ExternalService or Zones; without it the kinds are listed')
    .addHelpText('after', '\nFor editors: bulkhead schema Service > service.schema.json')
    .action(
      action(async (given: string | undefined) => {
        const { sourceSchemas } = await import('@bulkhead/shared')
        const kinds = Object.entries(sourceSchemas)
        const names = kinds.map(([name]) => name)
        if (given === undefined) {
          cli.stdout.write(`${names.join('\n')}\n`)
          return
        }
        const found = kinds.find(([name]) => name.toLowerCase() === given.toLowerCase())
        if (found === undefined) {
          const advice = meant(given, names, `the kinds are ${names.join(', ')}`)
          throw new BulkheadError('bad-usage', `schema: there is no kind ${given}`, advice)
        }
        const $schema = 'https://json-schema.org/draft/2020-12/schema'
        cli.stdout.write(`${JSON.stringify({ $schema, ...found[1] }, null, 2)}\n`)
      }),
    )
}
