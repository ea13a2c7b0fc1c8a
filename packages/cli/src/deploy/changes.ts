import type { ApplyResult, FieldChange, ObjectChange } from '@bulkhead/shared'

import type { Style } from '../output/style.ts'
import { cleanText, plural, truncate } from '../output/text.ts'

const valueWidth = 60

/** `/ports/http` reads better as `ports.http`, list items as `args[0]`. */
function shownPath(pointer: string): string {
  const parts = pointer.split('/').slice(1)
  const names = parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return names.reduce((path, name) => {
    if (/^[0-9]+$/.test(name)) return `${path}[${name}]`
    return path === '' ? name : `${path}.${name}`
  }, '')
}

function shownValue(value: unknown): string {
  const text =
    typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)
  return truncate(cleanText(text ?? ''), valueWidth)
}

export function shownObject({ kind, name, environment }: ObjectChange): string {
  if (environment !== null) return `${kind} ${name}.${environment}`
  return kind === name || name === '' ? kind : `${kind} ${name}`
}

function changeLine({ path, before, after }: FieldChange, width: number, style: Style): string {
  const { red, green, yellow, dim } = style
  const where = shownPath(path).padEnd(width)
  if (before === undefined) return `  ${green(`+ ${where}`)}  ${green(shownValue(after))}`
  if (after === undefined) return `  ${red(`- ${where}`)}  ${red(shownValue(before))}`
  return `  ${yellow(`~ ${where}`)}  ${red(shownValue(before))} ${dim('→')} ${green(shownValue(after))}`
}

/** What changes in one object: a line for it, and below it one for each field. */
export function objectLines(object: ObjectChange, style: Style): string[] {
  const { bold, green, red, yellow } = style
  const what = bold(shownObject(object))
  if (object.action === 'create') return [`${green('+')} ${what}`]
  if (object.action === 'delete') return [`${red('-')} ${what}`]
  const width = Math.max(0, ...object.changes.map(({ path }) => shownPath(path).length))
  const lines = object.changes.map((change) => changeLine(change, width, style))
  return [`${yellow('~')} ${what}`, ...lines]
}

const counted: readonly (readonly [ObjectChange['action'], string])[] = [
  ['create', 'to create'],
  ['update', 'to update'],
  ['delete', 'to delete'],
  ['unchanged', 'unchanged'],
]

/** `1 to create, 2 to update, 3 unchanged` */
export function shownCounts({ objects }: ApplyResult): string {
  const parts = counted.flatMap(([action, words]) => {
    const count = objects.filter((object) => object.action === action).length
    return count === 0 ? [] : [`${count} ${words}`]
  })
  return parts.length === 0 ? plural(0, 'object') : parts.join(', ')
}
