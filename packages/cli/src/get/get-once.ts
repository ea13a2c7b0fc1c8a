import type { ListView, RevisionView } from '@bulkhead/shared'
import {
  BulkheadError,
  type Client,
  type ListName,
  type Lists,
  servicePath,
} from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { meant } from '../errors/nearest.ts'
import { type Kind, type Look, sortItems } from '../kinds/kind.ts'
import { listed } from '../kinds/kinds.ts'
import { revisions } from '../kinds/revisions.ts'
import type { ServiceName } from '../names/service-name.ts'
import { writeStructured } from '../output/structured.ts'
import { styleFor } from '../output/style.ts'
import { writeTable } from '../output/write-table.ts'
import type { GetRequest } from './request.ts'

export const lookOf = (cli: Cli): Look => ({
  nowMs: cli.clock.nowMs(),
  style: styleFor(cli.stdout, cli.env),
})

/** Whether a name given by people means this item. */
export function isCalled<T>(kind: Kind<T>, item: T, name: string | undefined): boolean {
  return name === undefined || kind.names(item).includes(name) || kind.key(item) === name
}

function notFound<T>(kind: Kind<T>, items: readonly T[], name: string): BulkheadError {
  const names = [...new Set(items.map((item) => kind.names(item)[0] ?? ''))]
  const advice = meant(name, names, `see bulkhead get ${kind.name}`)
  return new BulkheadError('not-found', `${kind.singular} ${name}: there is none`, advice)
}

/** One item by itself when it was asked for by its name, else the list. */
async function structuredOf<T>(
  kind: Kind<T>,
  list: ListView<T>,
  name: string | undefined,
  client: Client,
  signal: AbortSignal,
): Promise<unknown> {
  const [only] = list.items
  if (name === undefined || only === undefined || list.items.length > 1) return list
  if (kind.detailPath === undefined) return only
  return client.request('GET', kind.detailPath(only), { signal })
}

interface ShowDeps<T> {
  readonly client: Client
  readonly cli: Cli
  readonly isWanted: (item: T) => boolean
}

async function show<T>(
  kind: Kind<T>,
  list: ListView<T>,
  { name, output, query }: GetRequest,
  { client, cli, isWanted }: ShowDeps<T>,
): Promise<void> {
  const items = list.items.filter((item) => isCalled(kind, item, name) && isWanted(item))
  if (name !== undefined && items.length === 0) throw notFound(kind, list.items, name)
  if (output === 'json' || output === 'yaml') {
    const value = await structuredOf(kind, { ...list, items }, name, client, cli.signal)
    await writeStructured(cli.stdout, output, value)
    return
  }
  if (items.length === 0) {
    const where = query['environment'] == null ? '' : ` in environment ${query['environment']}`
    cli.stderr.write(`no ${kind.name}${where}\n`)
    return
  }
  const look = lookOf(cli)
  await writeTable(cli.stdout, kind, sortItems(kind, items), { look, wide: output === 'wide' })
}

/** Lists what the API lists. Throws BulkheadError `not-found` for a name that nothing has. */
export async function getOnce<K extends ListName>(
  name: K,
  request: GetRequest,
  deps: { readonly client: Client; readonly cli: Cli },
  isWanted: (item: Lists[K]) => boolean = () => true,
): Promise<void> {
  const kind: Kind<Lists[K]> = listed[name]
  const list = await deps.client.list(name, request.query, deps.cli.signal)
  await show(kind, list, request, { ...deps, isWanted })
}

/** The revisions are a list of one service. */
export async function getRevisions(
  { environment, name }: ServiceName,
  request: GetRequest,
  deps: { readonly client: Client; readonly cli: Cli },
): Promise<void> {
  const path = servicePath(environment, name, '/revisions')
  const { signal } = deps.cli
  const list = await deps.client.request<ListView<RevisionView>>('GET', path, { signal })
  await show(revisions, list, request, { ...deps, isWanted: () => true })
}
