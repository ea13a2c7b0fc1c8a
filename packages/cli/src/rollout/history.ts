import type { ListView, RevisionView } from '@bulkhead/shared'
import { servicePath } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { lookOf } from '../get/get-once.ts'
import type { OutputFormat } from '../get/request.ts'
import { sortItems } from '../kinds/kind.ts'
import { revisions } from '../kinds/revisions.ts'
import { rollouts } from '../kinds/rollouts.ts'
import { findService } from '../names/service-name.ts'
import { writeStructured } from '../output/structured.ts'
import { writeTable } from '../output/write-table.ts'
import type { Connection } from '../toolkit.ts'

/** Shows the revisions of a service, and the rollouts that made them true or did not. */
export async function rolloutHistory(
  given: string,
  { environment, output }: { readonly environment?: string; readonly output: OutputFormat },
  { connection, cli }: { readonly connection: Connection; readonly cli: Cli },
): Promise<void> {
  const { signal } = cli
  const { client } = connection
  const service = await findService(connection, given, environment, signal)
  const path = servicePath(service.environment, service.name, '/revisions')
  const query = { environment: service.environment, service: service.name }
  const [made, moved] = await Promise.all([
    client.request<ListView<RevisionView>>('GET', path, { signal }),
    client.list('rollouts', query, signal),
  ])
  if (output === 'json' || output === 'yaml') {
    const value = { revisions: made.items, rollouts: moved.items }
    await writeStructured(cli.stdout, output, value)
    return
  }
  const options = { look: lookOf(cli), wide: output === 'wide', given: ['environment'] as const }
  await writeTable(cli.stdout, revisions, sortItems(revisions, made.items), options)
  if (moved.items.length === 0) return
  cli.stdout.write('\n')
  await writeTable(cli.stdout, rollouts, sortItems(rollouts, moved.items), options)
}
