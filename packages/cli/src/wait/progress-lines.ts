import { shownService } from '../names/service-name.ts'
import { paintState } from '../output/states.ts'
import type { Style } from '../output/style.ts'
import { cleanText, truncate } from '../output/text.ts'
import type { Progress } from './judge.ts'

export interface Signs {
  readonly spinner: readonly string[]
  readonly done: string
  readonly failed: string
  readonly full: string
  readonly empty: string
}

export const unicodeSigns: Signs = {
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  done: '✔',
  failed: '✘',
  full: '█',
  empty: '░',
}

export const asciiSigns: Signs = {
  spinner: ['|', '/', '-', '\\'],
  done: '+',
  failed: 'x',
  full: '#',
  empty: '.',
}

const barWidth = 10
const lastColumn = 1

const isWaiting = ({ verdict }: Progress): boolean => verdict === 'waiting'

function bar({ verdict, updated, desired }: Progress, signs: Signs): string {
  const part = desired === 0 ? Number(verdict === 'done') : Math.min(1, updated / desired)
  const full = Math.floor(part * barWidth)
  return signs.full.repeat(full) + signs.empty.repeat(barWidth - full)
}

const countOf = ({ target, updated, desired }: Progress): string =>
  target.revision === null ? `${desired} left` : `${updated}/${desired}`

export interface Layout {
  readonly signs: Signs
  readonly style: Style
  readonly frame: number
  readonly columns: number
  /** Lines that may be used; when there are more services, the ones that still wait are shown. */
  readonly rows: number
}

/** One line for each service: sign, name, bar, count, status, reason; cut to the terminal. */
export function progressLines(progress: readonly Progress[], layout: Layout): string[] {
  const { signs, style, frame, columns, rows } = layout
  const fits = progress.length <= rows
  const shown = fits ? progress : progress.filter(isWaiting).slice(0, rows - 1)
  const names = shown.map(({ target }) => shownService(target))
  const nameWidth = Math.min(Math.max(0, ...names.map(({ length }) => length)), columns >> 1)
  const countWidth = Math.max(0, ...shown.map((one) => countOf(one).length))
  const lines = shown.map((one, index) => {
    const name = truncate(names[index] ?? '', nameWidth).padEnd(nameWidth)
    const spin = signs.spinner[frame % signs.spinner.length] ?? ''
    const sign = {
      waiting: style.cyan(spin),
      done: style.green(signs.done),
      failed: style.red(signs.failed),
    }
    const count = countOf(one).padStart(countWidth)
    const paintBar = { waiting: style.cyan, done: style.green, failed: style.red }[one.verdict]
    const used = 2 + nameWidth + 2 + barWidth + 2 + countWidth + 2 + one.status.length
    const room = columns - used - 2 - lastColumn
    const reason =
      one.reason === '' || room < 8 ? '' : `  ${style.dim(truncate(cleanText(one.reason), room))}`
    const status = paintState(one.status, style)
    return `${sign[one.verdict]} ${style.bold(name)}  ${paintBar(bar(one, signs))}  ${count}  ${status}${reason}`
  })
  if (fits) return lines
  const done = progress.filter(({ verdict }) => verdict === 'done').length
  return [...lines, style.dim(`  ${done} of ${progress.length} services have converged`)]
}

/** The same for a log: no bar, nothing that moves. */
export function plainLine(one: Progress): string {
  const reason = one.reason === '' ? '' : `: ${cleanText(one.reason)}`
  const count = one.target.revision === null ? countOf(one) : `${countOf(one)} healthy`
  const what = one.status === 'gone' ? 'gone' : `${one.status}, ${count}`
  return `${shownService(one.target)}: ${what}${reason}`
}
