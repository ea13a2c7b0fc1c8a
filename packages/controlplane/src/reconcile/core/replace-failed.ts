import type { Instance, Revision } from '@bulkhead/shared'

import type { Plan } from './plan.ts'
import type { Slot } from './roster.ts'

/** So long the agent's report of its own successor may be on its way. */
const handoverMs = 10_000

/** How the next instance of a slot begins. */
export interface Beginning {
  readonly predecessor: string | null
  readonly attempt: number
  readonly startAtMs: number
  /** Nodes on which the ones before it could not be started. */
  readonly avoid: ReadonlySet<string>
  /** What it replaces and why; empty for a fresh one. */
  readonly text: string
}

const fresh = (nowMs: number): Beginning => ({
  predecessor: null,
  attempt: 0,
  startAtMs: nowMs,
  avoid: new Set(),
  text: '',
})

/**
 * The n-th failure in a row is answered at once, then after `delay`, twice that, … up to
 * `maxDelay`.
 */
export function backOffMs(attempt: number, restart: Revision['spec']['restart']): number {
  if (attempt < 2) return 0
  return Math.min(restart.delayMs * 2 ** Math.min(attempt - 2, 40), restart.maxDelayMs)
}

/**
 * What the failures in the slot so far mean for its next instance of the revision. When the last
 * one had run, its agent should have gone on by itself and says so together with the failure: only
 * after a while is it ours to replace, and null is returned until then.
 */
export function beginningOf(plan: Plan, slot: Slot, revision: Revision): Beginning | null {
  const { situation } = plan
  const { nowMs } = situation
  const alike = slot.instances.filter(
    (instance) => instance.node !== null && situation.hashOf(instance) === revision.templateHash,
  )
  const last = alike.at(-1)
  if (!last || !hasFailed(last)) return fresh(nowMs)
  const { restart } = revision.template
  const { observed } = last
  const finishedAtMs = Math.min(observed.finishedAtMs ?? nowMs, nowMs)
  const mayBeReported = !observed.neverStarted && !situation.context.rehearsal
  if (mayBeReported && nowMs < finishedAtMs + handoverMs) {
    plan.wake(finishedAtMs + handoverMs)
    return null
  }
  if (isOfEarlierRollout(plan, last, revision)) return fresh(nowMs)
  const ranMs = observed.startedAtMs === null ? 0 : finishedAtMs - observed.startedAtMs
  const attempt = !observed.neverStarted && ranMs >= restart.resetAfterMs ? 1 : last.attempt + 1
  const why = observed.reason === '' ? 'it failed' : observed.reason
  const where = last.node ?? ''
  return {
    predecessor: last.id,
    attempt,
    startAtMs: Math.max(nowMs, finishedAtMs + backOffMs(attempt, restart)),
    avoid: nodesThatFailed(alike.filter((one) => !isOfEarlierRollout(plan, one, revision))),
    text: observed.neverStarted
      ? `replaces ${last.id}, which could not be started on ${where}: ${why}`
      : `replaces ${last.id}, which failed on ${where}: ${why}`,
  }
}

/** Who rolls the same content out again has mended something: what failed before says nothing of it. */
function isOfEarlierRollout(
  { rollout, situation }: Plan,
  instance: Instance,
  revision: Revision,
): boolean {
  if (!rollout || situation.revision(rollout.to)?.templateHash !== revision.templateHash)
    return false
  // Times alone do not tell, because our clock may have been set since.
  return instance.revision < rollout.to && instance.createdAtMs < rollout.startedAtMs
}

/** Ended by itself while it was wanted. */
const hasFailed = ({ desired, lostAtMs, observed }: Instance): boolean =>
  desired === 'run' && lostAtMs === null && observed.state === 'failed'

function nodesThatFailed(alike: readonly Instance[]): ReadonlySet<string> {
  const nodes = new Set<string>()
  for (const instance of alike.toReversed()) {
    if (!hasFailed(instance) || !instance.observed.neverStarted) break
    if (instance.node !== null) nodes.add(instance.node)
  }
  return nodes
}
