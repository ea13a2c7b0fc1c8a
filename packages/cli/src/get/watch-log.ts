import type { WatchEvent } from '@bulkhead/shared'

import type { Cli } from '../cli.ts'
import type { Kind, Look } from '../kinds/kind.ts'
import { cleanText } from '../output/text.ts'
import { writeStructuredPart } from '../output/structured.ts'
import { makeTable, type Row } from '../output/table.ts'
import { shownHeads, type TableChoice } from '../output/write-table.ts'
import { lookOf } from './get-once.ts'
import { until, type WatchView } from './watch-view.ts'

const rememberedLimit = 20_000

/** What was shown is remembered so that nothing is shown twice; the oldest is forgotten first. */
class News {
  readonly #shown = new Map<string, string>()

  isNew(key: string, text: string): boolean {
    if (this.#shown.get(key) === text) return false
    this.#shown.delete(key)
    this.#shown.set(key, text)
    const [oldest] = this.#shown.keys()
    if (this.#shown.size > rememberedLimit && oldest !== undefined) this.#shown.delete(oldest)
    return true
  }

  forget(key: string): void {
    this.#shown.delete(key)
  }
}

type Write<T> = (events: readonly WatchEvent<T>[]) => Promise<void>

/** Writes what is new and nothing else; `textOf` is what of an item people or programs are shown. */
function logOf<T>(
  kind: Kind<T>,
  cli: Cli,
  textOf: (item: T) => string,
  write: Write<T>,
): WatchView<T> {
  const news = new News()
  const isNew = (item: T): boolean => news.isNew(kind.key(item), textOf(item))
  let isLost = false
  return {
    async list(items, revision) {
      const fresh = items.filter((item) => isNew(item))
      await write(fresh.map((item) => ({ revision, type: 'put', item })))
    },
    async change(event) {
      if (event.type === 'delete') news.forget(kind.key(event.item))
      else if (!isNew(event.item)) return
      await write([event])
    },
    lost(error) {
      if (error !== null && !isLost) {
        cli.stderr.write(`warning: ${cleanText(error.message)}; trying again\n`)
      }
      isLost = error !== null
    },
    run: until,
    async end() {},
  }
}

export function structuredLog<T>(kind: Kind<T>, format: 'json' | 'yaml', cli: Cli): WatchView<T> {
  return logOf(
    kind,
    cli,
    (item) => JSON.stringify(item),
    async (events) => {
      for (const event of events) await writeStructuredPart(cli.stdout, format, event)
    },
  )
}

/** The rows of an event; of what is deleted they end in that word. */
export function rowsOfEvent<T>(
  kind: Kind<T>,
  { type, item }: Pick<WatchEvent<T>, 'type' | 'item'>,
  look: Look,
  pick: (row: Row) => Row,
): readonly Row[] {
  const rows = kind.rows(item, look).map((row) => pick(row))
  if (type === 'put') return rows
  const { dim } = look.style
  return rows.map((row) => [
    ...row.slice(0, -1).map(({ text }) => ({ text, paint: dim })),
    { text: 'deleted', paint: dim },
  ])
}

/** Rows below the columns of the first ones, whenever something in them is new. */
export function tableLog<T>(kind: Kind<T>, choice: TableChoice, cli: Cli): WatchView<T> {
  const { heads, pick } = shownHeads(kind.heads, choice)
  const always = heads.map(({ optional: _optional, ...head }) => head)
  let widths = heads.map(({ least = 0 }) => least)
  let isFirst = true
  const textOf = (item: T): string => {
    const rows = kind.rows(item, lookOf(cli)).map((row) => pick(row))
    return rows
      .map((row) => row.filter((_, index) => heads[index]?.ticks !== true).map(({ text }) => text))
      .join('\n')
  }
  return logOf(kind, cli, textOf, async (events) => {
    const look = lookOf(cli)
    const rows = events.flatMap((event) => rowsOfEvent(kind, event, look, pick))
    const columns = cli.stdout.isTTY && !choice.wide ? cli.stdout.columns : null
    const table = await makeTable(always, rows, { columns, paintTitle: look.style.dim, widths })
    const lines = isFirst ? [table.title, ...table.lines] : table.lines
    isFirst = false
    // The last column is as wide as each row needs it.
    widths = [...table.widths.slice(0, -1), 0]
    if (lines.length > 0) cli.stdout.write(`${lines.join('\n')}\n`)
  })
}
