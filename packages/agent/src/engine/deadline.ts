import type { Clock } from '@bulkhead/shared'

import { toEngineError } from './docker-errors.ts'
import { EngineError } from './engine.ts'

/** Runs a call with a signal that is aborted after `deadlineMs`; what goes wrong is thrown as an EngineError. */
export async function within<T>(
  clock: Clock,
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { promise: expired, reject } = Promise.withResolvers<never>()
  const timer = clock.after(deadlineMs, () => {
    const text = `the engine did not answer within ${deadlineMs} ms`
    reject(new EngineError('unreachable', text))
    controller.abort()
  })
  try {
    return await Promise.race([call(controller.signal), expired])
  } catch (error) {
    throw toEngineError(error)
  } finally {
    timer.cancel()
  }
}
