import type { Cli } from '../cli.ts'
import { isLive, openLiveArea } from '../output/live-area.ts'
import { speaksUnicode, styleFor } from '../output/style.ts'
import { cleanText, truncate } from '../output/text.ts'
import { keyOf, type Progress } from './judge.ts'
import { asciiSigns, loggedLine, loggedState, progressLines, unicodeSigns } from './progress-lines.ts'
import type { ProgressDisplay } from './wait-for.ts'

const frameMs = 100
/** The last picture stays and may scroll. */
const finalRows = 50

/** Redraws its lines in place. */
function liveDisplay({ stdout, clock, env }: Cli): ProgressDisplay {
  const style = styleFor(stdout, env)
  const signs = speaksUnicode(env) ? unicodeSigns : asciiSigns
  let progress: readonly Progress[] = []
  let lostText: string | null = null
  let frame = 0
  const area = openLiveArea(stdout)
  const draw = (rows = stdout.rows - 3): void => {
    const { columns } = stdout
    const lines = progressLines(progress, { signs, style, frame, columns, rows })
    if (lostText !== null) lines.push(style.yellow(truncate(`  ${lostText}`, columns - 1)))
    area.draw(lines)
  }
  const animate = () =>
    clock.after(frameMs, () => {
      frame += 1
      draw()
      timer = animate()
    })
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
      draw(Math.max(finalRows, stdout.rows - 3))
      area.end()
    },
  }
}

/** A line for each change; what has failed is told by the error at the end. */
function plainDisplay({ stdout, stderr }: Cli): ProgressDisplay {
  const shown = new Map<string, string>()
  let isLost = false
  return {
    update(progress) {
      for (const one of progress) {
        const state = loggedState(one)
        const key = keyOf(one.target)
        if (one.verdict === 'failed' || shown.get(key) === state) continue
        stdout.write(`${loggedLine(one)}\n`)
        shown.set(key, state)
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
  isLive(cli) ? liveDisplay(cli) : plainDisplay(cli)
