import type { Cli } from '../cli.ts'
import type { Style } from '../output/style.ts'
import { cleanText } from '../output/text.ts'

/** A label and what is to be said; nothing is shown for null or an empty text. */
export type Field = readonly [label: string, value: string | null, paint?: (text: string) => string]

const minimumWidth = 12

/** Labels on the left, values below each other. */
export function writeFields(cli: Cli, fields: readonly Field[], style: Style): void {
  const shown = fields.filter(([, value]) => value !== null && value !== '')
  const width = Math.max(minimumWidth, ...shown.map(([label]) => label.length))
  for (const [label, value, paint] of shown) {
    const text = cleanText(value ?? '')
    cli.stdout.write(
      `${style.dim(label.padEnd(width))}  ${paint === undefined ? text : paint(text)}\n`,
    )
  }
}

export function writeHeading(cli: Cli, text: string, style: Style): void {
  cli.stdout.write(`\n${style.bold(text)}\n`)
}
