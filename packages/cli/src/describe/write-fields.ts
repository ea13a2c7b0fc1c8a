import type { Cli } from '../cli.ts'
import type { Style } from '../output/style.ts'
import { cleanText, wrap } from '../output/text.ts'

/** A label and what is to be said; nothing is shown for null or an empty text. */
export type Field = readonly [label: string, value: string | null, paint?: (text: string) => string]

const minimumWidth = 12
const gap = '  '
/** With less room than this beside the labels, the terminal breaks long values itself. */
const leastRoom = 24

/** Labels on the left, values below each other; on a terminal long ones go on below, at spaces. */
export function writeFields(cli: Cli, fields: readonly Field[], style: Style): void {
  const shown = fields.filter(([, value]) => value !== null && value !== '')
  const width = Math.max(minimumWidth, ...shown.map(([label]) => label.length))
  const { isTTY, columns } = cli.stdout
  const beside = isTTY ? columns - width - gap.length : Infinity
  const room = beside < leastRoom ? Infinity : beside
  for (const [label, value, paint] of shown) {
    for (const [index, line] of wrap(cleanText(value ?? ''), room).entries()) {
      const left = index === 0 ? style.dim(label.padEnd(width)) : ' '.repeat(width)
      cli.stdout.write(`${left}${gap}${paint === undefined ? line : paint(line)}\n`)
    }
  }
}

export function writeHeading(cli: Cli, text: string, style: Style): void {
  cli.stdout.write(`\n${style.bold(text)}\n`)
}
