/** The n-th retry's delay: `firstMs` doubled n - 1 times, at most `maxMs`; none for n below 1. */
export function exponential(n: number, firstMs: number, maxMs: number): number {
  if (n < 1) return 0
  return Math.min(firstMs * 2 ** Math.min(n - 1, 40), maxMs)
}

/** Spreads a delay over its upper half; `random` is in [0, 1). */
export function jittered(delayMs: number, random: number): number {
  return delayMs / 2 + (delayMs / 2) * random
}

/**
 * Whether `delayMs` have passed since `sinceMs` by a wall clock. A clock that was set back does not make anyone
 * wait longer: a beginning in the future counts as over.
 */
export function isOver(sinceMs: number, delayMs: number, nowMs: number): boolean {
  return nowMs >= sinceMs + delayMs || nowMs < sinceMs - 1000
}
