import { type Clock, printable } from '@bulkhead/shared'

import { tellingLine } from './core/telling-line.ts'
import type { Engine } from './engine/engine.ts'

/** The cause of a failure is not kept back for longer than this. */
const deadlineMs = 250
const linesRead = 40
const maxRead = 8192
const maxLength = 300

/**
 * What a container has written last, as one line for people: `last` is the very last line, `error` the last that names
 * an error, where there is one. Empty when there is nothing, or not soon enough.
 */
export async function lastWords(
  deps: { readonly clock: Clock; readonly engine: Engine },
  containerId: string,
  wanted: 'last' | 'error',
): Promise<string> {
  const controller = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<string>()
  const timer = deps.clock.after(deadlineMs, () => resolve(''))
  const text = await Promise.race([readLast(deps.engine, containerId, controller.signal), late])
  timer.cancel()
  controller.abort()
  return printable(tellingLine(text, wanted), maxLength)
}

async function readLast(engine: Engine, containerId: string, signal: AbortSignal): Promise<string> {
  const options = { follow: false, sinceMs: null, tail: linesRead }
  let text = ''
  try {
    for await (const { data } of engine.logs(containerId, options, signal)) {
      text = `${text}${data.toString('utf8')}`.slice(-maxRead)
    }
  } catch {
    // A failure without last words is a failure all the same.
  }
  return text
}
