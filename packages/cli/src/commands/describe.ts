import type { NodeView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { describeExternalService } from '../describe/external-service.ts'
import { describeInstance } from '../describe/instance.ts'
import { describeNode } from '../describe/node.ts'
import { describeService } from '../describe/service.ts'
import { describeZone } from '../describe/zone.ts'
import { meant } from '../errors/nearest.ts'
import { lookOf } from '../get/get-once.ts'
import { kindNamed, type KindName } from '../kinds/kinds.ts'
import { findExternalService } from '../names/external-service-name.ts'
import { findInstance } from '../names/instance-name.ts'
import { findService } from '../names/service-name.ts'
import { nodePath } from '../nodes/remove-node.ts'
import { addEnvironment } from '../options.ts'
import { rolloutStatus } from '../rollout/status.ts'
import type { Toolkit } from '../toolkit.ts'

const kinds: readonly KindName[] = ['services', 'instances', 'nodes', 'zones', 'rollouts', 'external-services']

export function defineDescribe(command: Command, { cli, connect, action }: Toolkit): void {
  command
    .argument('<kind>', 'service, external-service, instance, node, zone or rollout')
    .argument('<name>', 'which one')
  addEnvironment(command).action(
    action(async (word: string, name: string, { environment }: { environment?: string }) => {
      const kind = kindNamed(word, kinds)
      const connection = await connect()
      const { client } = connection
      const { signal } = cli
      const deps = { client, cli, look: lookOf(cli) }
      if (kind === 'services') {
        await describeService(await findService(connection, name, environment, signal), deps)
      } else if (kind === 'external-services') {
        const external = await findExternalService(connection, name, environment, signal)
        await describeExternalService(external, deps)
      } else if (kind === 'instances') {
        await describeInstance(await findInstance(connection, name, environment, signal), deps)
      } else if (kind === 'nodes') {
        const node = await client.request<NodeView>('GET', nodePath(name), { signal })
        await describeNode(node, deps)
      } else if (kind === 'rollouts') {
        await rolloutStatus(name, { environment, output: 'text' }, { connection, cli })
      } else {
        const { items } = await client.list('zones', {}, signal)
        const zone = items.find((one) => one.name === name)
        if (zone === undefined) {
          const advice = meant(
            name,
            items.map((one) => one.name),
            'see bulkhead get zones',
          )
          throw new BulkheadError('not-found', `zone ${name}: there is none`, advice)
        }
        await describeZone(zone, deps)
      }
    }),
  )
}
