import picocolors from 'picocolors'

import type { Cli, Output } from '../cli.ts'

export type Paint = (text: string) => string

/** Colours by their name; each leaves the text as it is where colours are not wanted. */
export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly cyan: Paint
  readonly magenta: Paint
}

function wantsColour(output: Output, env: Cli['env']): boolean {
  const force = env['FORCE_COLOR'] ?? ''
  if (force !== '') return force !== '0' && force !== 'false'
  if ((env['NO_COLOR'] ?? '') !== '') return false
  return output.isTTY && env['TERM'] !== 'dumb'
}

export function styleFor(output: Output, env: Cli['env']): Style {
  return picocolors.createColors(wantsColour(output, env))
}

/** Whether signs beyond ASCII show as they should. */
export function speaksUnicode(env: Cli['env']): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return /utf-?8/i.test(locale)
}
