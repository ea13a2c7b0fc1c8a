import { realSetImmediate } from './guard.ts'

/** A turn of the event loop asks the kernel for news, which costs more than most events do: it runs so many of them. */
const turnsAtOnce = 256

let turnsLeft = 0
let waiting: (() => void) | null = null

function turn(): void {
  turnsLeft -= 1
  const resolve = waiting
  waiting = null
  resolve?.()
}

/**
 * Resolves when everything that promises have set off is done. Between two immediates of one turn, too, the runtime
 * first comes to the end of its promises, and tells of rejections that nobody handles.
 */
export function drained(): Promise<void> {
  return new Promise((resolve) => {
    waiting = resolve
    if (turnsLeft > 0) return
    turnsLeft = turnsAtOnce
    for (let count = 0; count < turnsAtOnce; count++) realSetImmediate(turn)
  })
}
