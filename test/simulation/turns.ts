import { realSetImmediate } from './guard.ts'

/** A round of the event loop asks the kernel for news, which costs more than most events do: it has so many turns. */
const turnsInRound = 256

let turnsLeft = 0
let current: (() => void) | null = null

function turn(): void {
  turnsLeft -= 1
  current?.()
  if (turnsLeft === 0 && current !== null) beginRound()
}

function beginRound(): void {
  turnsLeft = turnsInRound
  for (let count = 0; count < turnsInRound; count++) realSetImmediate(turn)
}

/**
 * Calls `step` again and again until it returns false; rejects when it throws. Before each further call everything
 * that promises have set off is done: between two immediates of one round, too, the runtime first comes to the end of
 * its promises, and tells of rejections that nobody handles. One at a time in a thread.
 */
export async function inTurns(step: () => boolean): Promise<void> {
  if (current !== null) throw new Error('something else has its turns in this thread')
  if (!step()) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  current = () => {
    try {
      if (step()) return
      resolve()
    } catch (error) {
      reject(error)
    }
    current = null
  }
  if (turnsLeft === 0) beginRound()
  await promise
}
