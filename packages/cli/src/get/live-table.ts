import { type BulkheadError, sleep } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { type Kind, sortItems } from '../kinds/kind.ts'
import { openLiveArea } from '../output/live-area.ts'
import { makeTable } from '../output/table.ts'
import { cleanText } from '../output/text.ts'
import { shownHeads, type TableChoice } from '../output/write-table.ts'
import { lookOf } from './get-once.ts'
import { rowsOfEvent } from './watch-log.ts'
import type { WatchView } from './watch-view.ts'

const frameMs = 100
/** Ages go on by seconds. */
const tickFrames = 10
/** What is over stays to be seen for this long. */
const overMs = 5_000
/** Beside the rows: the titles, a line about what is left out, and the cursor. */
const otherLines = 3

interface Entry<T> {
  readonly item: T
  readonly type: 'put' | 'delete'
  /** Since when it is over; null: it is not. */
  readonly overAtMs: number | null
}

interface Picture {
  readonly lines: readonly string[]
  readonly widths: readonly number[]
}

/**
 * One picture of the table: no more rows than the terminal has, and what is left out. No column is narrower
 * than in the picture before.
 */
async function pictureOf<T>(
  entries: ReadonlyMap<string, Entry<T>>,
  kind: Kind<T>,
  choice: TableChoice,
  { cli, widths }: { readonly cli: Cli; readonly widths: readonly number[] },
): Promise<Picture> {
  const look = lookOf(cli)
  const { heads, pick } = shownHeads(kind.heads, choice)
  const room = Math.max(1, cli.stdout.rows - otherLines)
  const items = sortItems(
    kind,
    [...entries.values()].map(({ item }) => item),
  )
  const rows = items.slice(0, room).flatMap((item) => {
    const { type } = entries.get(kind.key(item)) ?? { type: 'put' }
    return rowsOfEvent(kind, { type, item }, look, pick)
  })
  const table = await makeTable(
    heads.map(({ optional: _optional, ...head }) => head),
    rows,
    {
      columns: choice.wide ? null : cli.stdout.columns,
      paintTitle: look.style.dim,
      widths,
    },
  )
  const left = items.length - room
  const isCut = left > 0 || table.lines.length > room
  const more = `… the terminal has no room for ${left > 0 ? `${left} more` : 'more'}`
  const lines = [table.title, ...table.lines.slice(0, room), ...(isCut ? [look.style.dim(more)] : [])]
  return { lines, widths: [...table.widths.slice(0, -1), 0] }
}

/** Lets go of what has been over for a while. */
function age<T>(entries: Map<string, Entry<T>>, { isPast }: Kind<T>, nowMs: number): void {
  const items = [...entries.values()].map(({ item }) => item)
  for (const [key, entry] of entries) {
    const { type, item, overAtMs } = entry
    const isOver = type === 'delete' || isPast?.(item, items) === true
    if (!isOver) continue
    if (overAtMs === null) entries.set(key, { ...entry, overAtMs: nowMs })
    else if (overAtMs < nowMs - overMs) entries.delete(key)
  }
}

/** A table on a terminal that is drawn again in place when something changes. */
export function liveTable<T>(kind: Kind<T>, choice: TableChoice, cli: Cli): WatchView<T> {
  const area = openLiveArea(cli.stdout)
  const entries = new Map<string, Entry<T>>()
  let trouble: BulkheadError | null = null
  let widths: readonly number[] = []
  let isDue = false
  const draw = async (): Promise<void> => {
    isDue = false
    age(entries, kind, cli.clock.monotonicMs())
    const { lines, ...drawn } = await pictureOf(entries, kind, choice, { cli, widths })
    widths = drawn.widths
    const { yellow } = lookOf(cli).style
    const warning =
      trouble === null ? [] : [yellow(`${cleanText(trouble.message)}; trying again`)]
    area.draw([...lines, ...warning])
  }
  return {
    async list(items) {
      entries.clear()
      for (const item of items) entries.set(kind.key(item), { item, type: 'put', overAtMs: null })
      isDue = true
    },
    async change({ type, item }) {
      entries.set(kind.key(item), { item, type, overAtMs: null })
      isDue = true
    },
    lost(error) {
      isDue ||= trouble !== error
      trouble = error
    },
    async run(signal) {
      for (let frame = 1; ; frame++) {
        await sleep(cli.clock, frameMs, signal)
        if (isDue || (frame % tickFrames === 0 && entries.size > 0)) await draw()
      }
    },
    async end() {
      if (isDue) await draw()
      area.end()
    },
  }
}
