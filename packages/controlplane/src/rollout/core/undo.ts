import { BulkheadError, templateOf, type Revision, type Service } from '@bulkhead/shared'

import type { Transaction } from '../../state/view.ts'
import { changeRevision } from './new-revision.ts'

/**
 * Makes the content of an earlier revision the wanted one, as a new revision with the present number of replicas.
 * Without `to`: the newest one whose containers differ and whose rollout has not failed, rather one that was not
 * superseded either. Returns the earlier one. Throws BulkheadError
 * `not-found` or `conflict`.
 */
export function undoTo(tx: Transaction, service: Service, to: number | null): Revision {
  const current = tx.revisionOf(service.key, service.revision)
  if (!current || service.deleting) {
    throw new BulkheadError('conflict', `service ${service.key} is being deleted`, 'apply it again instead')
  }
  const target = to === null ? previous(tx, service, current) : tx.revisionOf(service.key, to)
  if (!target) {
    throw new BulkheadError('not-found', `revision ${to} of service ${service.key} is not kept`, `the revisions kept are ${kept(tx, service)}`)
  }
  if (target.revision === current.revision) {
    throw new BulkheadError('conflict', `revision ${target.revision} of service ${service.key} is the present one`, 'choose another one with --to')
  }
  const spec = { ...target.spec, replicas: current.spec.replicas }
  const { image, generation } = target.template
  changeRevision(tx, {
    key: service.key,
    spec,
    source: { ...target.source, replicas: current.spec.replicas },
    template: templateOf(spec, image, generation),
    actor: tx.actor,
    cause: `undone to revision ${target.revision}`,
  })
  return target
}

const kept = (tx: Transaction, service: Service): string =>
  tx.revisionsOf(service.key).map(({ revision }) => revision).join(', ')

function previous(tx: Transaction, service: Service, current: Revision): Revision {
  const others = tx.revisionsOf(service.key).filter(({ templateHash }) => templateHash !== current.templateHash)
  const { failed, unfinished } = rolloutsByTemplate(tx, service)
  const candidates = others.filter(({ templateHash }) => !failed.has(templateHash))
  const target = candidates.findLast(({ templateHash }) => !unfinished.has(templateHash)) ?? candidates.at(-1)
  if (target) return target
  const last = others.at(-1)
  if (!last) {
    throw new BulkheadError('not-found', `service ${service.key} has no earlier revision`, `the revisions kept are ${kept(tx, service)}`)
  }
  const why = failed.get(last.templateHash) ?? ''
  throw new BulkheadError(
    'conflict',
    `service ${service.key} has nothing to go back to: the rollout of revision ${last.revision} failed: ${why}`,
    `to go to a revision all the same, name it with --to; the revisions kept are ${kept(tx, service)}`,
  )
}

interface RolloutsByTemplate {
  /** Templates whose last rollout failed, each with the reason. */
  readonly failed: ReadonlyMap<string, string>
  /** Templates that something else came in the way of, so that nobody knows whether they are any good. */
  readonly unfinished: ReadonlySet<string>
}

function rolloutsByTemplate(tx: Transaction, service: Service): RolloutsByTemplate {
  const failed = new Map<string, string>()
  const unfinished = new Set<string>()
  const completed = new Set<string>()
  for (const { to, phase, reason } of tx.rolloutsOf(service.key).toSorted((a, b) => a.to - b.to)) {
    const hash = tx.revisionOf(service.key, to)?.templateHash
    if (hash === undefined) continue
    if (phase === 'failed' || phase === 'rolled-back') failed.set(hash, reason)
    else if (phase === 'completed') failed.delete(hash)
    if (phase === 'completed') completed.add(hash)
    else if (phase === 'superseded') unfinished.add(hash)
  }
  for (const hash of completed) unfinished.delete(hash)
  return { failed, unfinished }
}
