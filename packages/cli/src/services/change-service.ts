import type { ServiceView } from '@bulkhead/shared'
import { servicePath } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import type { WaitOptions } from '../options.ts'
import { type Structured, writeStructured } from '../output/structured.ts'
import type { Connection } from '../toolkit.ts'
import { waitWithProgress } from '../wait/wait-command.ts'

export interface ServiceOptions {
  readonly environment?: string
}

/** Something to do to a service that it may be waited for. */
export interface ServiceChange {
  readonly service: ServiceView
  /** Last part of the path. */
  readonly action: string
  readonly body: unknown
  /** What to tell people afterwards. */
  readonly done: (changed: ServiceView) => string
}

export async function changeService(
  { service, action, body, done }: ServiceChange,
  { wait, timeout, output }: Partial<WaitOptions> & { readonly output: 'text' | Structured },
  { client }: Connection,
  cli: Cli,
): Promise<void> {
  const { environment, name } = service
  const path = servicePath(environment, name, action)
  const { signal } = cli
  const changed = await client.request<ServiceView>('POST', path, { body, signal })
  if (output === 'text') cli.stdout.write(`${done(changed)}\n`)
  else await writeStructured(cli.stdout, output, changed)
  if (wait !== true || timeout === undefined) return
  const target = { environment, name, revision: changed.revision }
  const silent = output !== 'text'
  await waitWithProgress([target], { client, cli, timeoutMs: timeout, silent })
}
