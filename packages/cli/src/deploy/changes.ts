import type { ApplyResult, FieldChange, ObjectChange } from '@bulkhead/shared'

import type { Style } from '../output/style.ts'
import { cleanText, plural, truncate } from '../output/text.ts'

const valueWidth = 80

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
    typeof value === 'string' && /^[\w./:@%…-]+$/.test(value) ? value : JSON.stringify(value)
  return truncate(cleanText(text ?? ''), valueWidth)
}

export function shownObject({ kind, name, environment }: ObjectChange): string {
  if (environment !== null) return `${kind} ${name}.${environment}`
  return kind === name || name === '' ? kind : `${kind} ${name}`
}

const digestPattern = /@sha256:([0-9a-f]{12})[0-9a-f]{52}$/

/** Of an image the name, and of its digest enough to tell it from another one, where the names are the same. */
function shortened(change: FieldChange): FieldChange {
  const { path, before, after } = change
  if (path !== '/image' || typeof before !== 'string' || typeof after !== 'string') return change
  const names = [before, after].map((image) => image.replace(digestPattern, ''))
  const digests = [before, after].map((image) => image.replace(digestPattern, '@sha256:$1…'))
  const [old, now] = names[0] === names[1] ? digests : names
  return { path, before: old, after: now }
}

function changeLine(change: FieldChange, width: number, style: Style): string {
  const { path, before, after } = shortened(change)
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
