import type { WatchEvent } from '@bulkhead/shared'
import type { BulkheadError } from '@bulkhead/shared/client'

/** How a list that goes on is shown. */
export interface WatchView<T> {
  /** All that there is, in order; replaces what was known before. */
  list(items: readonly T[], revision: number): Promise<void>
  change(event: WatchEvent<T>): Promise<void>
  /** Changes will be late; null: they are in time again. */
  lost(error: BulkheadError | null): void
  /** Shows what time alone changes; rejects with the reason of the signal. */
  run(signal: AbortSignal): Promise<never>
  /** Nothing is shown afterwards. */
  end(): Promise<void>
}

export const until = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
