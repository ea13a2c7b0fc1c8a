import type { Clock, Observed } from '@bulkhead/shared'

import { failing } from './core/failure.ts'
import { type Lineage, reportOf } from './core/lineage.ts'
import type { Engine } from './engine/engine.ts'
import { lastWords } from './last-words.ts'
import type { LineageStore } from './lineage-store.ts'
import type { Outbox } from './session/outbox.ts'

export interface FailureNoticeDeps {
  readonly clock: Clock
  readonly engine: Engine
  readonly store: Pick<LineageStore, 'get' | 'update'>
  readonly outbox: Pick<Outbox, 'hold'>
}

/**
 * Says at once that the current link of `lineage` serves no more; its end and its successor follow when what it has
 * written last is known. To be called before the failure is noted.
 */
export function noteFailure(deps: FailureNoticeDeps, lineage: Lineage, failed: Observed): void {
  const { current, key } = lineage
  const { containerId, exitCode, reason } = failed
  if (containerId === null) return
  const notice = reportOf(lineage, { ...current, observed: failing(current, reason) })
  deps.outbox.hold(notice, addLastWords(deps, key, current.id, { containerId, exitCode }))
}

async function addLastWords(
  deps: FailureNoticeDeps,
  key: string,
  instance: string,
  { containerId, exitCode }: { readonly containerId: string; readonly exitCode: number | null },
): Promise<void> {
  // What ended by itself may have said why; what was ended by others was just at its work.
  const byItself = exitCode !== null && exitCode <= 128
  const words = await lastWords(deps, containerId, byItself ? 'error' : 'last')
  const lineage = deps.store.get(key)
  if (words === '' || !lineage) return
  const ended = lineage.ended.map((link) => {
    if (link.id !== instance) return link
    const reason = `${link.observed.reason}${byItself ? ': ' : '; its last words: '}${words}`
    return { ...link, observed: { ...link.observed, reason } }
  })
  deps.store.update({ ...lineage, ended })
}
