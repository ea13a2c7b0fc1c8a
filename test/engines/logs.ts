import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Opens a log file for the output of a process that `start` makes. */
export function withLog<T>(path: string, start: (fd: number) => T): T {
  const fd = openSync(path, 'a')
  try {
    return start(fd)
  } finally {
    closeSync(fd)
  }
}

/** Reads the last lines of every log in a folder, each under a title. */
export function readTails(directory: string, owner: string, lines = 30): string {
  const files = readdirSync(directory).filter((name) => name.endsWith('.log'))
  const tails = files.map((file) => {
    const text = readFileSync(join(directory, file), 'utf8').trimEnd()
    return `--- ${owner} ${file}\n${text.split('\n').slice(-lines).join('\n')}`
  })
  return tails.join('\n')
}
