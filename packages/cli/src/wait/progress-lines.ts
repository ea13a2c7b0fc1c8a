import { shownService } from '../names/service-name.ts'
import { briefReason } from '../output/reason.ts'
import { paintState } from '../output/states.ts'
import type { Style } from '../output/style.ts'
import { truncate } from '../output/text.ts'
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
    const why = briefReason(one.reason)
    const reason = why === '' || room < 8 ? '' : `  ${style.dim(truncate(why, room))}`
    const status = paintState(one.status, style)
    return `${sign[one.verdict]} ${style.bold(name)}  ${paintBar(bar(one, signs))}  ${count}  ${status}${reason}`
  })
  if (fits) return lines
  const done = progress.filter(({ verdict }) => verdict === 'done').length
  return [...lines, style.dim(`  ${done} of ${progress.length} services have converged`)]
}

const steps = 10
const troubles: readonly string[] = ['blocked', 'degraded']

/** What a log has a line for when it changes: the status, and of many instances tenths. */
export function loggedState({ status, updated, desired }: Progress): string {
  const step = desired <= steps ? updated : Math.floor((updated / desired) * steps)
  return `${status} ${step} ${desired}`
}

/** The same for a log: no bar, nothing that moves, and no reason as long as all goes on. */
export const loggedLine = (one: Progress): string =>
  plainLine(troubles.includes(one.status) ? one : { ...one, reason: '' })

export function plainLine(one: Progress): string {
  const why = briefReason(one.reason)
  const reason = why === '' ? '' : `: ${why}`
  const { revision } = one
  // What is healthy of the revision before is not counted: without its number this would read as an outage.
  const count = revision === null ? countOf(one) : `${countOf(one)} healthy at revision ${revision}`
  const what = one.status === 'gone' ? 'gone' : `${one.status}, ${count}`
  return `${shownService(one.target)}: ${what}${reason}`
}
