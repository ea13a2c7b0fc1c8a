import type { Cli, Output } from '../cli.ts'

const hideCursor = '\u001b[?25l'
const showCursor = '\u001b[?25h'
/** A line that is too long is cut by the terminal, as one that went on below would spoil the count of lines. */
const cutLines = '\u001b[?7l'
const wrapLines = '\u001b[?7h'
const eraseBelow = '\u001b[0J'
const upLines = (count: number): string => (count === 0 ? '' : `\u001b[${count}A`)

/** Lines at the end of a terminal that are drawn again in place. */
export interface LiveArea {
  /** No more lines than the terminal has rows, except for the last picture. */
  draw(lines: readonly string[]): void
  /** Leaves what was drawn last, and the terminal as it was. */
  end(): void
}

/** Whether pictures can be drawn again; elsewhere what changes is written as lines of a log. */
export const isLive = ({ stdout, env }: Cli): boolean => stdout.isTTY && env['TERM'] !== 'dumb'

export function openLiveArea(stdout: Output): LiveArea {
  let drawn = 0
  stdout.write(hideCursor + cutLines)
  return {
    draw(lines) {
      const text = lines.map((line) => `${line}\n`).join('')
      stdout.write(`\r${upLines(drawn)}${eraseBelow}${text}`)
      drawn = lines.length
    },
    end() {
      stdout.write(wrapLines + showCursor)
    },
  }
}
