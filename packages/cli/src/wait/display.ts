import type { Cli } from '../cli.ts'
import { speaksUnicode, styleFor } from '../output/style.ts'
import { cleanText, truncate } from '../output/text.ts'
import { keyOf, type Progress } from './judge.ts'
import { asciiSigns, plainLine, progressLines, unicodeSigns } from './progress-lines.ts'
import type { ProgressDisplay } from './wait-for.ts'

const frameMs = 100
const hideCursor = '\u001b[?25l'
const showCursor = '\u001b[?25h'
const upLines = (count: number): string => (count === 0 ? '' : `\u001b[${count}A`)
const eraseBelow = '\u001b[0J'

/** Redraws its lines in place. */
function liveDisplay({ stdout, clock, env }: Cli): ProgressDisplay {
  const style = styleFor(stdout, env)
  const signs = speaksUnicode(env) ? unicodeSigns : asciiSigns
  let progress: readonly Progress[] = []
  let lostText: string | null = null
  let frame = 0
  let drawn = 0
  const draw = (): void => {
    const { columns, rows } = stdout
    const lines = progressLines(progress, { signs, style, frame, columns, rows: rows - 3 })
    if (lostText !== null) lines.push(style.yellow(truncate(`  ${lostText}`, columns - 1)))
    const text = lines.map((line) => `${line}\n`).join('')
    stdout.write(`\r${upLines(drawn)}${eraseBelow}${text}`)
    drawn = lines.length
  }
  const animate = () =>
    clock.after(frameMs, () => {
      frame += 1
      draw()
      timer = animate()
    })
  stdout.write(hideCursor)
  let timer = animate()
  return {
    update(now) {
      progress = now
    },
    lost(error) {
      lostText = error === null ? null : `${cleanText(error.message)}; trying again`
    },
    end() {
      timer.cancel()
      draw()
      stdout.write(showCursor)
    },
  }
}

/** A line for each change. */
function plainDisplay({ stdout, stderr }: Cli): ProgressDisplay {
  const shown = new Map<string, string>()
  let isLost = false
  return {
    update(progress) {
      for (const one of progress) {
        const line = plainLine(one)
        const key = keyOf(one.target)
        if (shown.get(key) !== line) stdout.write(`${line}\n`)
        shown.set(key, line)
      }
    },
    lost(error) {
      if (error !== null && !isLost)
        stderr.write(`warning: ${cleanText(error.message)}; trying again\n`)
      isLost = error !== null
    },
    end() {},
  }
}

export const silentDisplay: ProgressDisplay = { update() {}, lost() {}, end() {} }

export const displayFor = (cli: Cli): ProgressDisplay =>
  cli.stdout.isTTY && cli.env['TERM'] !== 'dumb' ? liveDisplay(cli) : plainDisplay(cli)
