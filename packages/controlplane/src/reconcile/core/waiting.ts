import { counted, isLive, shownTime, type Instance } from '@bulkhead/shared'

const beforeStart = new Set(['assigned', 'pulling', 'created'])

/** What an instance waits for that is held back after failures; null when it is not. */
export function waitingForBackOff(instance: Instance, nowMs: number): string | null {
  const { attempt, startAtMs, node, observed } = instance
  if (attempt === 0 || startAtMs <= nowMs || node === null) return null
  if (!isLive(instance) || !beforeStart.has(observed.state)) return null
  return `waits until ${shownTime(startAtMs)} before it is started again, after ${counted(attempt, 'failure')} in a row`
}
