import { readFileSync } from 'node:fs'

/** Ticks since boot at which a process began, which tells it from others of the same id; null when it is gone. */
export function startTime(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may contain anything; the fields after it are plain.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // What has ended and waits for its parent to notice does nothing any more.
    return fields[0] === 'Z' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}
