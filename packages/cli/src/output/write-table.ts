import type { Output } from '../cli.ts'
import type { Given, Kind, KindHead, Look } from '../kinds/kind.ts'
import { makeTable, type Row } from './table.ts'

/** Which columns are wanted. */
export interface TableChoice {
  readonly wide: boolean
  /** What all rows have in common, because it was asked for. */
  readonly given?: readonly Given[]
}

/** Writes items as a table for people; on a terminal it is not wider than that. */
export async function writeTable<T>(
  output: Output,
  kind: Pick<Kind<T>, 'heads' | 'rows'>,
  items: readonly T[],
  { look, ...choice }: TableChoice & { readonly look: Look },
): Promise<void> {
  const { heads, pick } = shownHeads(kind.heads, choice)
  const rows = items.flatMap((item) => kind.rows(item, look)).map((row) => pick(row))
  const columns = output.isTTY && !choice.wide ? output.columns : null
  const { title, lines } = await makeTable(heads, rows, { columns, paintTitle: look.style.dim })
  output.write(`${[title, ...lines].join('\n')}\n`)
}

/** The columns that are wanted, and how a row is cut to them. */
export function shownHeads(
  heads: readonly KindHead[],
  { wide, given = [] }: TableChoice,
): { readonly heads: readonly KindHead[]; readonly pick: (row: Row) => Row } {
  const shown = heads.map(
    (head) =>
      wide || (head.wide !== true && (head.unless === undefined || !given.includes(head.unless))),
  )
  return {
    heads: heads.filter((_, index) => shown[index]),
    pick: (row) => row.filter((_, index) => shown[index]),
  }
}
