import type { Clock } from '@bulkhead/shared'

/** A clock that moves only when the test says so, and whose timers never run. */
export function manualClock(): Clock & { advance(ms: number): void } {
  let elapsedMs = 0
  return {
    nowMs: () => 1_700_000_000_000 + elapsedMs,
    monotonicMs: () => elapsedMs,
    after: () => ({ cancel() {} }),
    advance(ms) {
      elapsedMs += ms
    },
  }
}
