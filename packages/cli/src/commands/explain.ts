import type { ExplainView } from '@bulkhead/shared'
import { BulkheadError, type Client } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { writeExplanation } from '../explain/write-explanation.ts'
import { findInstanceOrNull, isInstanceId } from '../names/instance-name.ts'
import { findServiceOrNull, shownService } from '../names/service-name.ts'
import { addEnvironment, addOutput } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import type { Connection, Toolkit } from '../toolkit.ts'

interface ExplainOptions {
  readonly environment?: string
  readonly output: 'text' | Structured
}

async function instancePath(...given: Parameters<typeof findInstanceOrNull>) {
  const instance = await findInstanceOrNull(...given)
  return instance === null ? null : `/v1/explain/instances/${encodeURIComponent(instance.id)}`
}

async function servicePathOf(...given: Parameters<typeof findServiceOrNull>) {
  const service = await findServiceOrNull(...given)
  if (service === null) return null
  const { environment, name } = service
  return `/v1/explain/services/${encodeURIComponent(environment)}/${encodeURIComponent(name)}`
}

/** A name that looks like an instance's id is taken for one first. */
async function explain(
  given: string,
  environment: string | undefined,
  connection: Connection,
  signal: AbortSignal,
): Promise<ExplainView> {
  const looks = [servicePathOf, instancePath]
  for (const look of isInstanceId(given) ? looks.toReversed() : looks) {
    const path = await look(connection, given, environment, signal)
    if (path !== null) return read(connection.client, path, signal)
  }
  await refuseExternal(given, environment, connection.client, signal)
  const advice = 'see bulkhead get services and bulkhead get instances --all'
  throw new BulkheadError('not-found', `${given}: there is no such service or instance`, advice)
}

/** Throws BulkheadError `bad-usage` for the name of an external service. */
async function refuseExternal(
  given: string,
  environment: string | undefined,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  const { items } = await client.list('external-services', {}, signal)
  const found = items.find(
    (one) =>
      [one.name, shownService(one)].includes(given) &&
      (environment === undefined || one.environment === environment),
  )
  if (found === undefined) return
  throw new BulkheadError(
    'bad-usage',
    `${shownService(found)} is an external service, of which nothing is placed`,
    `see bulkhead describe external-service ${found.name} -e ${found.environment}`,
  )
}

const read = (client: Client, path: string, signal: AbortSignal): Promise<ExplainView> =>
  client.request('GET', path, { signal })

export function defineExplain(command: Command, { cli, connect, action }: Toolkit): void {
  addEnvironment(command.argument('<name>', 'a service, an instance, or SERVICE-SLOT'))
  addOutput(command, ['text', 'json', 'yaml']).action(
    action(async (given: string, { environment, output }: ExplainOptions) => {
      const view = await explain(given, environment, await connect(), cli.signal)
      if (output === 'text') await writeExplanation(view, cli)
      else await writeStructured(cli.stdout, output, view)
    }),
  )
}
