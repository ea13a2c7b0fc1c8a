import { type Observed, successorInstanceId } from '@bulkhead/shared'

import { exponential } from './backoff.ts'
import type { ContainerInfo } from './container.ts'
import { type Lineage, type Link, newLink } from './lineage.ts'

const signals: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
}

/** Why a container has ended, as a clause. */
export function exitCause(
  container: Pick<ContainerInfo, 'exitCode' | 'oomKilled'>,
  memoryBytes: number,
): string {
  const { exitCode } = container
  if (container.oomKilled) {
    return `out of memory: killed at its limit of ${Math.round(memoryBytes / 1024 / 1024)} MiB`
  }
  if (exitCode === null) return 'ended with an unknown exit code'
  const signal = exitCode > 128 ? signals[exitCode - 128] : undefined
  if (signal !== undefined) return `ended by ${signal} (exit code ${exitCode})`
  return `exited with code ${exitCode}`
}

/** The last observation of a link whose container has run and ended unasked. */
export function failedObservation(
  link: Link,
  reason: string,
  container: ContainerInfo | null,
  nowMs: number,
): Observed {
  return {
    ...link.observed,
    state: 'failed',
    health: 'unhealthy',
    reason,
    startedAtMs: link.observed.startedAtMs ?? container?.startedAtMs ?? null,
    healthySinceMs: null,
    finishedAtMs: container?.finishedAtMs ?? nowMs,
    exitCode: container?.exitCode ?? null,
    neverStarted: false,
  }
}

/** What is said of a link that has ended until its cause is known in full: it serves no more. */
export function failing({ observed }: Link, reason: string): Observed {
  return { ...observed, health: 'unhealthy', reason, healthySinceMs: null }
}

/** The last observation of a link that could not be made to run at all. */
export function neverStarted(link: Link, reason: string, nowMs: number): Observed {
  return {
    ...link.observed,
    state: 'failed',
    health: 'unknown',
    reason,
    healthySinceMs: null,
    finishedAtMs: nowMs,
    exitCode: null,
    neverStarted: true,
  }
}

/**
 * The link that goes on after `lineage.current` has failed. The first failure in a row is answered at once, the
 * n-th after n - 2 doublings of the template's delay; a run of at least `resetAfterMs` begins a new row.
 */
export function successorOf(lineage: Lineage, failed: Observed, nowMs: number): Link {
  const { current } = lineage
  const { restart } = lineage.assignment.template
  const ranMs =
    (failed.finishedAtMs ?? nowMs) - (failed.startedAtMs ?? failed.finishedAtMs ?? nowMs)
  const attempt = ranMs >= restart.resetAfterMs ? 1 : current.attempt + 1
  const delayMs = exponential(attempt - 1, restart.delayMs, restart.maxDelayMs)
  return newLink(
    {
      id: successorInstanceId(current.id),
      predecessor: current.id,
      attempt,
      startAtMs: nowMs + delayMs,
    },
    nowMs,
  )
}
