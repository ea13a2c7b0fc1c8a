import {
  BulkheadError,
  canonicalJson,
  changesBetween,
  type ExternalServiceSpec,
  type ObjectChange,
  type ServiceKey,
  serviceKey,
} from '@bulkhead/shared'

import { freeAddressIndex } from '../discovery/core/address-index.ts'
import type { Transaction } from '../state/view.ts'

/** A document that is well formed. */
export interface AdmittedExternal {
  readonly document: number
  readonly spec: ExternalServiceSpec
}

const keyOf = ({ environment, name }: ExternalServiceSpec): ServiceKey =>
  serviceKey(environment, name)

/** Writes them into the transaction. Throws BulkheadError `conflict` and `bad-spec`. */
export function applyExternals(
  tx: Transaction,
  admitted: readonly AdmittedExternal[],
): ObjectChange[] {
  return admitted.map((external) => applyExternal(tx, external))
}

function applyExternal(tx: Transaction, { document, spec }: AdmittedExternal): ObjectChange {
  const key = keyOf(spec)
  const { name, environment } = spec
  if (tx.services.has(key)) {
    const advice = 'delete the service first, or choose another name'
    throw new BulkheadError('conflict', `${key} is a service of containers`, advice)
  }
  if (!Object.hasOwn(tx.zones.zones, spec.zone)) {
    const zones = Object.keys(tx.zones.zones).join(', ')
    const message = `zone ${spec.zone} is not declared; the zones are ${zones}`
    const problems = [{ document, path: '/zone', message }]
    throw new BulkheadError('bad-spec', message, 'correct the documents; nothing was changed', problems)
  }
  const known = tx.externals.get(key)
  const common = { kind: 'ExternalService' as const, name, environment, warnings: [] }
  if (known && canonicalJson(known.spec) === canonicalJson(spec)) {
    return { ...common, action: 'unchanged', revision: known.revision, changes: [] }
  }
  const changes = changesBetween(known?.spec ?? {}, spec)
  const addressIndex = known ? known.addressIndex : freeAddressIndex(tx, key)
  tx.putExternal({ key, spec, revision: tx.revision, addressIndex })
  const reason = known ? changes.map(({ path }) => path).join(', ') : `zone ${spec.zone}`
  tx.event({ kind: 'ExternalService', subject: key, action: known ? 'updated' : 'applied', reason })
  return { ...common, action: known ? 'update' : 'create', revision: tx.revision, changes }
}

/** Removes those of the environments that are not among what was applied. */
export function pruneExternals(
  tx: Transaction,
  admitted: readonly AdmittedExternal[],
  environments: ReadonlySet<string>,
): ObjectChange[] {
  const kept = new Set(admitted.map(({ spec }) => keyOf(spec)))
  return Array.from(tx.externals.values()).flatMap(({ key, spec, revision }) => {
    if (kept.has(key) || !environments.has(spec.environment)) return []
    deleteExternal(tx, key, 'pruned: not among the documents that were applied')
    const { name, environment } = spec
    const kind = 'ExternalService' as const
    return [{ kind, name, environment, action: 'delete' as const, revision, changes: [], warnings: [] }]
  })
}

/** At once: nothing of it runs here. Throws `not-found`. */
export function deleteExternal(tx: Transaction, key: ServiceKey, reason: string): void {
  if (!tx.externals.has(key)) {
    const advice = 'see `bulkhead get external-services`'
    throw new BulkheadError('not-found', `there is no external service ${key}`, advice)
  }
  tx.deleteExternal(key)
  tx.event({ kind: 'ExternalService', subject: key, action: 'deleted', reason })
}
