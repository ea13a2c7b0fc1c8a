import type { WatchEvent } from '@bulkhead/shared'
import type { BulkheadError, Client, ListName, Lists } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { type Kind, type Look, sortItems } from '../kinds/kind.ts'
import { listed } from '../kinds/kinds.ts'
import { writeStructuredPart } from '../output/structured.ts'
import { makeTable, type Row } from '../output/table.ts'
import { shownHeads } from '../output/write-table.ts'
import { isCalled, lookOf } from './get-once.ts'
import type { GetRequest } from './request.ts'

const rememberedLimit = 20_000

interface Writer<T> {
  write(events: readonly WatchEvent<T>[]): Promise<void>
}

/** Prints rows below the columns of the first ones, for as long as there are changes. */
function tableWriter<T>(kind: Kind<T>, wide: boolean, cli: Cli): Writer<T> {
  const { heads, pick } = shownHeads(kind.heads, wide)
  const always = heads.map(({ optional: _optional, ...head }) => head)
  let widths: readonly number[] | null = null
  const rowsOf = ({ type, item }: WatchEvent<T>, look: Look): readonly Row[] =>
    kind.rows(item, look).map((row) => {
      if (type === 'put') return pick(row)
      const { dim } = look.style
      const gone = pick(row).map(({ text }) => ({ text, paint: dim }))
      return [...gone.slice(0, -1), { text: 'deleted', paint: dim }]
    })
  return {
    async write(events) {
      const look = lookOf(cli)
      const rows = events.flatMap((event) => rowsOf(event, look))
      const columns = cli.stdout.isTTY && !wide ? cli.stdout.columns : null
      const options = {
        columns,
        paintTitle: look.style.dim,
        ...(widths === null ? {} : { widths }),
      }
      const table = await makeTable(always, rows, options)
      const lines = widths === null ? [table.title, ...table.lines] : table.lines
      // The last column is as wide as each row needs it.
      widths = [...table.widths.slice(0, -1), 0]
      if (lines.length > 0) cli.stdout.write(`${lines.join('\n')}\n`)
    },
  }
}

function structuredWriter<T>(format: 'json' | 'yaml', cli: Cli): Writer<T> {
  return {
    async write(events) {
      for (const event of events) await writeStructuredPart(cli.stdout, format, event)
    },
  }
}

const warnLost = (cli: Cli, error: BulkheadError): void =>
  cli.stderr.write(`warning: ${error.message}; trying again\n`)

/** Prints what there is and then what changes, until the signal is aborted. */
export async function getWatched<K extends ListName>(
  name: K,
  request: GetRequest,
  { client, cli }: { readonly client: Client; readonly cli: Cli },
  isWanted: (item: Lists[K]) => boolean = () => true,
): Promise<void> {
  const kind: Kind<Lists[K]> = listed[name]
  const { output, query } = request
  const isTable = output === 'table' || output === 'wide'
  const writer = isTable
    ? tableWriter(kind, output === 'wide', cli)
    : structuredWriter<Lists[K]>(output, cli)
  const isAsked = (item: Lists[K]): boolean => isCalled(kind, item, request.name) && isWanted(item)
  const shown = new Map<string, string>()
  // What was shown is remembered so that a new connection repeats nothing; the oldest is forgotten first.
  const isNews = (item: Lists[K]): boolean => {
    const text = JSON.stringify(item)
    const key = kind.key(item)
    if (shown.get(key) === text) return false
    shown.delete(key)
    shown.set(key, text)
    const [oldest] = shown.keys()
    if (shown.size > rememberedLimit && oldest !== undefined) shown.delete(oldest)
    return true
  }
  let isLost = false
  for await (const update of client.watch(name, query, cli.signal)) {
    if (update.kind === 'interrupted') {
      if (!isLost) warnLost(cli, update.error)
      isLost = true
      continue
    }
    isLost = false
    if (update.kind === 'list') {
      const { revision } = update
      const items = sortItems(
        kind,
        update.items.filter((item) => isAsked(item) && isNews(item)),
      )
      await writer.write(items.map((item) => ({ revision, type: 'put', item })))
      continue
    }
    const { type, item } = update.event
    if (!isAsked(item)) continue
    if (type === 'delete') shown.delete(kind.key(item))
    if (type === 'delete' || isNews(item)) await writer.write([update.event])
  }
}
