import { type Clock, printable } from '@bulkhead/shared'

import type { Engine } from './engine/engine.ts'

/** The cause of a failure is not kept back for longer than this. */
const deadlineMs = 250
const maxLength = 300

/** The last line that a container has written, for people; empty when there is none, or not soon enough. */
export async function lastWords(
  deps: { readonly clock: Clock; readonly engine: Engine },
  containerId: string,
): Promise<string> {
  const controller = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<string>()
  const timer = deps.clock.after(deadlineMs, () => resolve(''))
  const text = await Promise.race([readLast(deps.engine, containerId, controller.signal), late])
  timer.cancel()
  controller.abort()
  const line = text.trim().split('\n').at(-1) ?? ''
  return printable(line.trim(), maxLength)
}

async function readLast(engine: Engine, containerId: string, signal: AbortSignal): Promise<string> {
  const options = { follow: false, sinceMs: null, tail: 1 }
  let text = ''
  try {
    for await (const { data } of engine.logs(containerId, options, signal)) {
      text = `${text}${data.toString('utf8')}`.slice(-maxLength)
    }
  } catch {
    // A failure without last words is a failure all the same.
  }
  return text
}
