import type { Style } from '../output/style.ts'
import type { Cell, Head, Row } from '../output/table.ts'

/** What a cell may depend on besides its item. */
export interface Look {
  readonly nowMs: number
  readonly style: Style
}

/** What a list can be narrowed to, so that all of it has the same. */
export type Given = 'environment' | 'node'

export interface KindHead extends Head {
  /** Shown with `-o wide` only. */
  readonly wide?: boolean
  /** Left out, except with `-o wide`, where this is given: it would be the same in every row. */
  readonly unless?: Given
  /** Goes on with time alone, which is no news of the item. */
  readonly ticks?: boolean
  /** How wide it is from the start in a list that goes on, so that later rows stand below earlier ones. */
  readonly least?: number
}

/** How one kind of thing is called and shown in a table. */
export interface Kind<T> {
  readonly name: string
  readonly singular: string
  readonly aliases: readonly string[]
  readonly heads: readonly KindHead[]
  /** Mostly one; none or several where an item holds a list. */
  readonly rows: (item: T, look: Look) => readonly Row[]
  /** Which item it is: the same text for each version of it. */
  readonly key: (item: T) => string
  /** What the argument NAME of a command may be; the first is what people see. */
  readonly names: (item: T) => readonly string[]
  /** Where the API tells more of one item than its list does. */
  readonly detailPath?: (item: T) => string
  /** Each item is news of its own, which a list that goes on only appends. */
  readonly appends?: boolean
  /** Whether a list no longer has the item once the others are as they are, though it is still on record. */
  readonly isPast?: (item: T, others: readonly T[]) => boolean
  /** For the order in lists. */
  readonly order: (item: T) => readonly (string | number)[]
}

export interface Column<T> extends KindHead {
  readonly cell: (item: T, look: Look) => string | Cell
}

/** The heads and the rows that columns make together. */
export function columnsOf<T>(columns: readonly Column<T>[]): {
  readonly heads: readonly KindHead[]
  readonly row: (item: T, look: Look) => Row
} {
  const heads = columns.map(({ cell: _cell, ...head }) => head)
  const row = (item: T, look: Look): Row =>
    columns.map(({ cell }) => {
      const made = cell(item, look)
      return typeof made === 'string' ? { text: made } : made
    })
  return { heads, row }
}

function compareParts(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index]
    if (other === undefined || part === other) continue
    return part < other ? -1 : 1
  }
  return 0
}

export const sortItems = <T>(kind: Kind<T>, items: readonly T[]): T[] =>
  items.toSorted((a, b) => compareParts(kind.order(a), kind.order(b)))
