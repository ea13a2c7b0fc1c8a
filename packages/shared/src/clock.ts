/** A pending call that can be called off. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void
}

/**
 * Time as a parameter: production passes the system's clock, the simulator its own. Nothing in Bulkhead
 * reads the time or sets a timer in any other way.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch: for records and for people, never for measuring. */
  nowMs(): number
  /** Milliseconds from a fixed but arbitrary origin; never goes back. For leases, deadlines and delays. */
  monotonicMs(): number
  /** Calls `run` once, no earlier than `delayMs` from now. Does not keep the process alive by itself. */
  after(delayMs: number, run: () => void): Timer
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  // Of the machine and not of the process: what is left of a lease has to outlive a process.
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  after(delayMs, run) {
    // Node.js clamps longer delays to 1 ms; a day is long enough for every caller to look again.
    const handle = setTimeout(run, Math.min(Math.max(delayMs, 0), 86_400_000))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}

/** Resolves after `delayMs` by `clock`; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = (): void => {
      timer.cancel()
      reject(signal?.reason as Error)
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
