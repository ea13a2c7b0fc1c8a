import { existsSync, readFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'

/** The value below which the given part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? Number.NaN
}

export const megabytes = (bytes: number): number => Math.round(bytes / 1024 / 1024)

/** Resident memory of this process at its largest so far. */
export const peakMegabytes = (): number => Math.round(process.resourceUsage().maxRSS / 1024)

/** Processor time of this process since then, all its threads together. */
export function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return seconds((user + system) / 1000)
}

/**
 * How long the main thread has waited for a processor that others used, in milliseconds; 0 where the kernel does not
 * tell.
 */
export function waitedMs(): number {
  const file = '/proc/self/schedstat'
  if (!existsSync(file)) return 0
  return Number(readFileSync(file, 'utf8').split(' ')[1]) / 1e6
}

export const seconds = (ms: number): number => Math.round(ms) / 1000

/** Waits until it is true; throws when that takes longer than any run should. */
export async function until(
  what: string,
  isTrue: () => boolean,
  whyNot: () => string = () => '',
  timeoutMs = 1_800_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!isTrue()) {
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutMs / 1000} s: ${whyNot()}`)
    }
    await delay(5)
  }
}

export const progress = (text: string): void => void process.stderr.write(`… ${text}\n`)

/** The longest pause for collecting garbage until the returned function is called. */
export function collectPauses(): () => number {
  let longestMs = 0
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestMs = Math.max(longestMs, duration)
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => {
    observer.disconnect()
    return longestMs
  }
}
