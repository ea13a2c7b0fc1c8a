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
import { choiceOf, type GetRequest } from './request.ts'

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

export interface GetDeps {
  readonly client: Client
  readonly cli: Cli
}

/** A list that was asked for, ready to be shown one way or the other. */
interface Found {
  readonly value: () => Promise<unknown>
  readonly table: () => Promise<void>
}

/** Throws BulkheadError `not-found` for a name that nothing has. */
function found<T>(
  kind: Kind<T>,
  list: ListView<T>,
  request: GetRequest,
  { client, cli }: GetDeps,
  isWanted: (item: T) => boolean,
): Found {
  const { name, query, newest = Infinity } = request
  const wanted = list.items.filter((item) => isCalled(kind, item, name) && isWanted(item))
  const items = wanted.slice(Math.max(0, wanted.length - newest))
  if (name !== undefined && items.length === 0) throw notFound(kind, list.items, name)
  return {
    value: () => structuredOf(kind, { ...list, items }, name, client, cli.signal),
    async table() {
      if (items.length === 0) {
        const where = query['environment'] == null ? '' : ` in environment ${query['environment']}`
        cli.stderr.write(`no ${kind.name}${where}\n`)
        return
      }
      const options = { ...choiceOf(request), look: lookOf(cli) }
      await writeTable(cli.stdout, kind, sortItems(kind, items), options)
    },
  }
}

async function ask<K extends ListName>(
  name: K,
  request: GetRequest,
  deps: GetDeps,
  isWanted: (item: Lists[K]) => boolean = () => true,
): Promise<Found> {
  const kind: Kind<Lists[K]> = listed[name]
  const list = await deps.client.list(name, request.query, deps.cli.signal)
  return found(kind, list, request, deps, isWanted)
}

async function show({ value, table }: Found, { output }: GetRequest, cli: Cli): Promise<void> {
  if (output === 'json' || output === 'yaml')
    await writeStructured(cli.stdout, output, await value())
  else await table()
}

/** Lists what the API lists. Throws BulkheadError `not-found` for a name that nothing has. */
export async function getOnce<K extends ListName>(
  name: K,
  request: GetRequest,
  deps: GetDeps,
  isWanted?: (item: Lists[K]) => boolean,
): Promise<void> {
  await show(await ask(name, request, deps, isWanted), request, deps.cli)
}

/** Several lists: their tables one below the other, or as data each by its name. */
export async function getSeveral(
  requests: readonly (readonly [ListName, GetRequest])[],
  deps: GetDeps,
): Promise<void> {
  const answers = await Promise.all(
    requests.map(async ([name, request]) => ({ name, request, got: await ask(name, request, deps) })),
  )
  const { output } = answers[0]?.request ?? { output: 'table' }
  if (output === 'json' || output === 'yaml') {
    const values = await Promise.all(answers.map(async ({ name, got }) => [name, await got.value()]))
    await writeStructured(deps.cli.stdout, output, Object.fromEntries(values))
    return
  }
  for (const [index, { got }] of answers.entries()) {
    if (index > 0) deps.cli.stdout.write('\n')
    await got.table()
  }
}

/** The revisions are a list of one service. */
export async function getRevisions(
  { environment, name }: ServiceName,
  request: GetRequest,
  deps: GetDeps,
): Promise<void> {
  const path = servicePath(environment, name, '/revisions')
  const { signal } = deps.cli
  const list = await deps.client.request<ListView<RevisionView>>('GET', path, { signal })
  await show(
    found(revisions, list, request, deps, () => true),
    request,
    deps.cli,
  )
}
