import { printable } from '@bulkhead/shared'
import { validateDocuments } from '@bulkhead/shared/validation'

import type { Position, ReadDocuments } from './read.ts'

interface Line {
  readonly file: string
  readonly position: Position | null
  readonly message: string
}

const shown = ({ file, line, column }: Position): string => `${printable(file)}:${line}:${column}`

function validationLines(read: ReadDocuments): Line[] {
  return validateDocuments(read.documents).problems.map(
    ({ document, path, message, on, first }) => {
      const position = read.locate(document, path, on)
      const other = first === undefined ? '' : `; first at ${shown(read.locate(first, path))}`
      return { file: position.file, position, message: `${message}${other}` }
    },
  )
}

/**
 * Everything that is wrong with what was read, as `FILE:LINE:COLUMN: message` in the order of the files and
 * their lines; `FILE: message` where a file as a whole is meant. Empty when it can be applied.
 */
export function checkDocuments(read: ReadDocuments): string[] {
  const order = new Map(read.files.map((file, index) => [file, index]))
  const orderOf = ({ file }: Line): number => order.get(file) ?? 0
  return [...read.problems, ...validationLines(read)]
    .toSorted(
      (a, b) =>
        orderOf(a) - orderOf(b) ||
        (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
        (a.position?.column ?? 0) - (b.position?.column ?? 0),
    )
    .map(({ file, position, message }) => {
      const where = position ? shown(position) : printable(file)
      return `${where}: ${printable(message)}`
    })
}
