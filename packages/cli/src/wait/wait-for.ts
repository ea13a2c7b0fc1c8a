import type { RolloutView, ServiceView } from '@bulkhead/shared'
import type { BulkheadError, Client } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { follow, followed } from './follow.ts'
import { judge, keyOf, type Progress, type Target } from './judge.ts'

/** Shows people how a wait goes on. */
export interface ProgressDisplay {
  update(progress: readonly Progress[]): void
  /** Changes will be late; null: they are in time again. */
  lost(error: BulkheadError | null): void
  /** Leaves the terminal as it should be; nothing is shown afterwards. */
  end(): void
}

export interface WaitResult {
  readonly outcome: 'done' | 'failed' | 'timed-out'
  readonly progress: readonly Progress[]
  readonly tookMs: number
}

function environmentOf(targets: readonly Target[]): string | undefined {
  const environments = new Set(targets.map(({ environment }) => environment))
  const [only] = environments
  return environments.size === 1 ? only : undefined
}

function outcomeOf(progress: readonly Progress[]): 'done' | 'failed' | null {
  if (progress.some(({ verdict }) => verdict === 'failed')) return 'failed'
  return progress.every(({ verdict }) => verdict === 'done') ? 'done' : null
}

/**
 * Waits until all targets have come true, one of them has failed, or the time is over. Rejects when the server
 * refuses to tell, and with the reason of the signal.
 */
export async function waitFor(
  targets: readonly Target[],
  deps: {
    readonly client: Client
    readonly cli: Pick<Cli, 'clock' | 'signal'>
    readonly display: ProgressDisplay
    readonly timeoutMs: number
  },
): Promise<WaitResult> {
  const { client, cli, display, timeoutMs } = deps
  const startMs = cli.clock.monotonicMs()
  const environment = environmentOf(targets)
  const services = followed<ServiceView>()
  const rollouts = followed<RolloutView>()
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(cli.signal.reason)
  cli.signal.addEventListener('abort', onAbort, { once: true })
  const { promise, resolve, reject } = Promise.withResolvers<WaitResult>()
  let progress: readonly Progress[] = []
  const finish = (outcome: WaitResult['outcome']): void =>
    resolve({ outcome, progress, tookMs: cli.clock.monotonicMs() - startMs })
  const onChange = (lost: BulkheadError | null): void => {
    display.lost(lost)
    if (!services.isListed || !rollouts.isListed) return
    const known = [...rollouts.items.values()]
    progress = targets.map((target) => judge(target, services.items.get(keyOf(target)), known))
    display.update(progress)
    const outcome = outcomeOf(progress)
    if (outcome !== null) finish(outcome)
  }
  const given = { client, query: { environment }, onChange, signal: stop.signal }
  const timer = cli.clock.after(timeoutMs, () => finish('timed-out'))
  follow('services', { ...given, into: services, key: keyOf }).catch(reject)
  follow('rollouts', { ...given, into: rollouts, key: ({ id }) => id }).catch(reject)
  try {
    return await promise
  } finally {
    timer.cancel()
    cli.signal.removeEventListener('abort', onAbort)
    stop.abort(new Error('the wait is over'))
    display.end()
  }
}
