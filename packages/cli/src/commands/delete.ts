import { servicePath } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { kindNamed } from '../kinds/kinds.ts'
import { externalServicePath, findExternalService } from '../names/external-service-name.ts'
import { findService, shownService } from '../names/service-name.ts'
import { removeNode } from '../nodes/remove-node.ts'
import { addEnvironment, addWait, type WaitOptions } from '../options.ts'
import type { Toolkit } from '../toolkit.ts'
import { waitWithProgress } from '../wait/wait-command.ts'

interface DeleteOptions extends WaitOptions {
  readonly environment?: string
}

export function defineDelete(command: Command, { cli, connect, action }: Toolkit): void {
  command.argument('<kind>', 'service, external-service or node').argument('<name>', 'which one')
  addWait(addEnvironment(command), 'the service and its instances are gone').action(
    action(async (word: string, name: string, options: DeleteOptions) => {
      const { signal } = cli
      const kind = kindNamed(word, ['services', 'external-services', 'nodes'])
      const connection = await connect()
      const { client } = connection
      if (kind === 'nodes') {
        await removeNode(name, client, cli)
        return
      }
      if (kind === 'external-services') {
        const external = await findExternalService(connection, name, options.environment, signal)
        await client.request('DELETE', externalServicePath(external), { signal })
        cli.stdout.write(`${shownService(external)}: deleted\n`)
        return
      }
      const service = await findService(connection, name, options.environment, signal)
      const path = servicePath(service.environment, service.name)
      await client.request('DELETE', path, { signal })
      cli.stdout.write(`${shownService(service)}: deleting\n`)
      if (options.wait !== true) return
      const target = { environment: service.environment, name: service.name, revision: null }
      await waitWithProgress([target], { client, cli, timeoutMs: options.timeout })
    }),
  )
}
