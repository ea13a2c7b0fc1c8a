import { BulkheadError, templateOf, type Revision, type Service } from '@bulkhead/shared'

import type { Transaction } from '../../state/view.ts'
import { changeRevision } from './new-revision.ts'

/**
 * Makes the content of an earlier revision the wanted one, as a new revision with the present number of replicas.
 * Without `to`: the newest one whose containers differ. Throws BulkheadError `not-found` or `conflict`.
 */
export function undoTo(tx: Transaction, service: Service, to: number | null): void {
  const current = tx.revisionOf(service.key, service.revision)
  if (!current || service.deleting) {
    throw new BulkheadError('conflict', `service ${service.key} is being deleted`, 'apply it again instead')
  }
  const target = to === null ? previous(tx, service, current) : tx.revisionOf(service.key, to)
  if (!target) {
    const kept = tx.revisionsOf(service.key).map(({ revision }) => revision).join(', ')
    throw new BulkheadError(
      'not-found',
      to === null ? `service ${service.key} has no earlier revision` : `revision ${to} of service ${service.key} is not kept`,
      `the revisions kept are ${kept}`,
    )
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
}

function previous(tx: Transaction, service: Service, current: Revision): Revision | undefined {
  return tx.revisionsOf(service.key).findLast((revision) => revision.templateHash !== current.templateHash)
}
