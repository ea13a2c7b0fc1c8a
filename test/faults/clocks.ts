import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Wall clocks of single processes that can be set while they run; their monotonic clocks go on as they were. */
export interface Clocks {
  /** What a process has to be started with to have the clock of that name. */
  environment(name: string): Readonly<Record<string, string>>
  /** Ahead of the machine's own clock, or behind it; seen by the process within a second. */
  set(name: string, aheadS: number): void
}

/** Why clocks of single processes cannot be set here, or undefined when they can. */
export function whyNotClocks(): string | undefined {
  return preload() === '' ? 'faketime is not installed' : undefined
}

/** The library that the program `faketime` puts before a program's own. */
function preload(): string {
  const { stdout } = spawnSync('faketime', ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' })
  return (stdout as string | null)?.trim() ?? ''
}

export function makeClocks(directory: string): Clocks {
  const library = preload()
  const fileOf = (name: string): string => join(directory, `clock-${name}`)
  const set = (name: string, aheadS: number): void => {
    writeFileSync(fileOf(name), `${aheadS < 0 ? '' : '+'}${aheadS}\n`)
  }
  return {
    set,
    environment(name) {
      set(name, 0)
      return {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: fileOf(name),
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      }
    },
  }
}
