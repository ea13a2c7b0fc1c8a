import type { Action } from './action.ts'
import { exponential } from './backoff.ts'
import { neverStarted } from './failure.ts'
import { type Lineage, type Link, observe, succeed } from './lineage.ts'

/** Why the engine did not do something; the kinds are those of its errors. */
export type RefusalKind =
  | 'unreachable'
  | 'no-such-container'
  | 'no-such-image'
  | 'conflict'
  | 'port-taken'
  | 'no-space'
  | 'pull-failed'
  | 'refused'

export type Outcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly kind: RefusalKind; readonly message: string }

/** Tries before something that may go away by itself counts as final: about two seconds for a port. */
const maxTries = 6
const firstRetryMs = 50
const maxRetryMs = 5000

/** The lineage after `action`, which was planned for its current link, came to `outcome`. */
export function settle(lineage: Lineage, action: Action, outcome: Outcome, nowMs: number): Lineage {
  const { current } = lineage
  if ('instance' in action && action.instance !== current.id) return lineage
  if (action.kind === 'observe') {
    const ending = action.ending ?? current.ending
    return { ...lineage, current: { ...observe(current, action.observed, nowMs), ending } }
  }
  if (action.kind === 'succeed') {
    return succeed(lineage, action.observed, action.successor, nowMs)
  }
  if (outcome.ok) return { ...lineage, current: afterSuccess(current, action, nowMs) }
  return { ...lineage, current: afterRefusal(lineage, action, outcome, nowMs) }
}

function afterSuccess(current: Link, action: Action, nowMs: number): Link {
  const link = current.tries === 0 ? current : { ...current, tries: 0, retryAtMs: 0 }
  if (action.kind === 'signal') return { ...link, signalled: true }
  if (action.kind === 'kill') return { ...link, killedAtMs: nowMs }
  return link
}

function afterRefusal(
  lineage: Lineage,
  action: Action,
  outcome: Outcome & { readonly ok: false },
  nowMs: number,
): Link {
  const { current } = lineage
  // Nothing is known: the next complete list of containers tells.
  if (outcome.kind === 'unreachable') return current
  if (action.kind === 'discard' || action.kind === 'prepare') return current
  const isStart = action.kind === 'pull' || action.kind === 'create' || action.kind === 'start'
  if (isStart && isFinalRefusal(outcome, current.tries + 1)) {
    const reason = startFailure(lineage, action, outcome.message)
    return observe(current, neverStarted(current, reason, nowMs), nowMs)
  }
  const tries = current.tries + 1
  // That the image is absent is an answer: what follows is not the same again.
  const waits = outcome.kind === 'no-such-image' ? tries - 1 : tries
  return { ...current, tries, retryAtMs: nowMs + exponential(waits, firstRetryMs, maxRetryMs) }
}

function isFinalRefusal(outcome: Outcome & { readonly ok: false }, tries: number): boolean {
  const mayGoAway =
    outcome.kind === 'port-taken' ||
    outcome.kind === 'conflict' ||
    outcome.kind === 'no-such-image' ||
    outcome.kind === 'no-such-container'
  return !mayGoAway || tries >= maxTries
}

function startFailure(lineage: Lineage, action: Action, message: string): string {
  const { image } = lineage.assignment.template
  if (action.kind === 'pull') return `the image ${image.name} could not be pulled: ${message}`
  if (action.kind === 'create') return `its container could not be created: ${message}`
  return `its container could not be started: ${message}`
}
