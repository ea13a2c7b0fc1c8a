import type { Paint } from './style.ts'
import { cleanText, type Measure, measureFor, truncate, wrap } from './text.ts'

export interface Cell {
  readonly text: string
  readonly paint?: Paint | undefined
}

export interface Head {
  readonly title: string
  readonly align?: 'right'
  /**
   * What happens to text of the last column that is too long for the terminal: it is cut or goes on below;
   * where there is hardly any room for it, it has lines of its own. Without this the line is as long as it is.
   */
  readonly overflow?: 'cut' | 'wrap'
  /** May be cut, down to its title, when the terminal is too narrow for the columns. */
  readonly shrinks?: boolean
  /** Not shown when it is empty in every row. */
  readonly optional?: boolean
}

export type Row = readonly Cell[]

export interface TableOptions {
  /** Null: lines are as long as they need to be. */
  readonly columns: number | null
  readonly paintTitle: Paint
  /** Of an earlier table with the same columns, so that rows that come later stand below its columns. */
  readonly widths?: readonly number[]
}

export interface Table {
  readonly title: string
  readonly lines: readonly string[]
  readonly widths: readonly number[]
}

const gap = '  '
const indent = '    '
/** With less room than this, the text of the last column stands below its row. */
const leastRoom = 24

interface Layout {
  readonly heads: readonly Head[]
  readonly widths: readonly number[]
  readonly measure: Measure
  /** How wide lines below a row are; null: the last column stands beside the others. */
  readonly belowWidth: number | null
}

function layOut(
  heads: readonly Head[],
  rows: readonly Row[],
  { columns, widths: known }: TableOptions,
  measure: Measure,
): Layout {
  const natural = heads.map(({ title }, index) => {
    const cells = rows.map((row) => measure(row[index]?.text ?? ''))
    return Math.max(title.length, known?.[index] ?? 0, ...cells)
  })
  const widths = shrunk(heads, natural, columns)
  const last = widths.length - 1
  const wanted = widths[last] ?? 0
  const others = widths.slice(0, last).reduce((sum, width) => sum + width + gap.length, 0)
  const room = (columns ?? Infinity) - others
  if (columns === null || heads[last]?.overflow === undefined || wanted <= room) {
    return { heads, widths, measure, belowWidth: null }
  }
  const isBelow = room < leastRoom
  const belowWidth = isBelow ? columns - indent.length : null
  return { heads, widths: isBelow ? widths : widths.with(last, room), measure, belowWidth }
}

/** The widths of the columns, some of them smaller where the terminal has no room; the last one may go on below. */
function shrunk(
  heads: readonly Head[],
  widths: readonly number[],
  columns: number | null,
): readonly number[] {
  if (columns === null) return widths
  const fixed = heads.at(-1)?.overflow === undefined ? widths : widths.slice(0, -1)
  let excess = fixed.reduce((sum, width) => sum + width + gap.length, -gap.length) - columns
  return widths.map((width, index) => {
    const { shrinks = false, title = '' } = heads[index] ?? {}
    if (!shrinks || excess <= 0) return width
    const narrow = Math.max(title.length, width - excess)
    excess -= width - narrow
    return narrow
  })
}

function lineOf(row: Row, { heads, widths, measure }: Layout): string {
  const parts = row.map(({ text: whole, paint }, index) => {
    const text = heads[index]?.shrinks ? truncate(whole, widths[index] ?? 0, measure) : whole
    const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - measure(text)))
    const painted = paint === undefined ? text : paint(text)
    if (heads[index]?.align === 'right') return `${space}${painted}`
    return index === row.length - 1 ? painted : `${painted}${space}`
  })
  return parts.join(gap).trimEnd()
}

function linesOf(row: Row, layout: Layout): string[] {
  const { heads, widths, measure, belowWidth } = layout
  const last = heads.length - 1
  const cell = row[last] ?? { text: '' }
  const width = belowWidth ?? widths[last] ?? 0
  const overflow = heads[last]?.overflow
  const texts = overflow === 'wrap' ? wrap(cell.text, width) : [truncate(cell.text, width, measure)]
  const others = row.slice(0, last)
  if (cell.text === '') return [lineOf(belowWidth === null ? row : others, layout)]
  if (overflow === undefined) return [lineOf(row, layout)]
  if (belowWidth !== null) {
    const paint = cell.paint ?? ((text: string) => text)
    return [lineOf(others, layout), ...texts.map((text) => `${indent}${paint(text)}`)]
  }
  const blank = others.map(() => ({ text: '' }))
  return texts.map((text, index) =>
    lineOf([...(index === 0 ? others : blank), { ...cell, text }], layout),
  )
}

/** Columns that are aligned, two spaces apart, empty cells as a dash. */
export async function makeTable(
  heads: readonly Head[],
  rows: readonly Row[],
  options: TableOptions,
): Promise<Table> {
  const clean = rows.map((row) => row.map((cell) => ({ ...cell, text: cleanText(cell.text) })))
  const shown = heads
    .map((head, index) => ({ head, index }))
    .filter(({ head, index }) => !head.optional || clean.some((row) => row[index]?.text !== ''))
  const picked = clean.map((row) =>
    shown.map(({ head, index }) => {
      const cell = row[index] ?? { text: '' }
      return cell.text === '' && head.overflow === undefined ? { text: '-' } : cell
    }),
  )
  const measure = await measureFor(picked.flatMap((row) => row.map(({ text }) => text)))
  const shownHeads = shown.map(({ head }) => head)
  const layout = layOut(shownHeads, picked, options, measure)
  const titles = shownHeads.map(({ title }) => ({ text: title, paint: options.paintTitle }))
  return {
    title: lineOf(layout.belowWidth === null ? titles : titles.slice(0, -1), layout),
    lines: picked.flatMap((row) => linesOf(row, layout)),
    widths: layout.widths,
  }
}
