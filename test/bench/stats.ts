/** The middle value; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** `median (lowest to highest)` in seconds. */
export function spread(valuesMs: readonly number[]): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(2)
  return `${seconds(median(valuesMs))} (${seconds(Math.min(...valuesMs))}–${seconds(Math.max(...valuesMs))})`
}

export async function timed(work: () => Promise<void>): Promise<number> {
  const since = performance.now()
  await work()
  return performance.now() - since
}
