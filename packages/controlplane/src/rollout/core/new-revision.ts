import {
  canonicalHash,
  isOpen,
  splitServiceKey,
  templateHash,
  type Revision,
  type Rollout,
  type Service,
  type ServiceKey,
  type ServiceSpec,
  type Template,
} from '@bulkhead/shared'

import { freeAddressIndex } from '../../discovery/core/address-index.ts'
import { completedHash } from '../../reconcile/core/good-revision.ts'
import type { Transaction } from '../../state/view.ts'
import { beginsShift } from './begins-shift.ts'

/** More placements than a service can see between two revisions of the state. */
const serialsPerRevision = 1_000_000

export interface RevisionChange {
  readonly key: ServiceKey
  readonly spec: ServiceSpec
  /** The document as people wrote it. */
  readonly source: Readonly<Record<string, unknown>>
  readonly template: Template
  readonly actor: string
  /** Why: `applied`, `scaled from 2 to 3` … */
  readonly cause: string
  /** How an open rollout ends; without it, it is superseded. */
  readonly ending?: { readonly phase: 'superseded' | 'rolled-back'; readonly reason: string }
}

/**
 * Makes the content the wanted one, as a new revision, and the service when there is none yet. Only
 * another template opens a rollout, and ends one that is open; the first revision opens one from
 * nothing, so that its progress is followed too. Returns the revision.
 */
export function changeRevision(tx: Transaction, change: RevisionChange): Revision {
  const { key, spec, source, template, actor, cause } = change
  const service = tx.services.get(key)
  const current = service && tx.revisionOf(key, service.revision)
  const revision: Revision = {
    service: key,
    revision: nextNumber(tx, key),
    spec,
    source,
    template,
    specHash: canonicalHash({ spec, digest: template.image.digest }),
    templateHash: templateHash(template),
    createdAtMs: tx.nowMs,
    actor,
    cause,
  }
  tx.putRevision(revision)
  tx.putService({ ...(service ?? newService(tx, key, cause)), revision: revision.revision })
  const action = service ? 'updated' : 'created'
  const reason = `revision ${revision.revision}: ${cause}`
  tx.event({ kind: 'Service', subject: key, action, reason, actor })
  if (current?.templateHash !== revision.templateHash) {
    openRollout(tx, change, current ?? null, revision)
  }
  return revision
}

function newService(tx: Transaction, key: ServiceKey, cause: string): Omit<Service, 'revision'> {
  return {
    key,
    ...splitServiceKey(key),
    // Ids of an earlier service of the same name must not come again: its containers may still be somewhere.
    serial: tx.revision * serialsPerRevision,
    addressIndex: freeAddressIndex(tx, key),
    deleting: false,
    status: 'progressing',
    reason: cause,
    createdAtMs: tx.nowMs,
  }
}

/** Numbers only count up, whatever has been forgotten since. */
function nextNumber(tx: Transaction, key: ServiceKey): number {
  let highest = tx.services.get(key)?.revision ?? 0
  for (const { revision } of tx.revisionsOf(key)) highest = Math.max(highest, revision)
  return highest + 1
}

function openRollout(
  tx: Transaction,
  { key, cause, ending }: RevisionChange,
  before: Revision | null,
  after: Revision,
): void {
  const { revision: to, spec } = after
  const open = tx.openRolloutOf(key)
  const shift = beginsShift(tx, before, after, ending !== undefined)
  const returns = ending !== undefined || completedHash(tx, key) === after.templateHash
  if (open) {
    const superseded = { phase: 'superseded', reason: `superseded by revision ${to}` } as const
    // What is gone back from loses its traffic at once.
    const lost = returns && open.shift ? { shift: { ...open.shift, weight: 0 } } : {}
    tx.putRollout(advance(tx, open, { ...(ending ?? superseded), ...lost, dueAtMs: null }))
    const { phase, reason } = ending ?? superseded
    tx.event({ kind: 'Rollout', subject: open.id, action: `rollout-${phase}`, reason })
  }
  const { progressDeadlineMs } = spec.update
  const rollout: Rollout = {
    id: `${key}@${to}`,
    service: key,
    from: open?.to ?? before?.revision ?? null,
    to,
    phase: 'progressing',
    reason: cause,
    startedAtMs: tx.nowMs,
    progressAtMs: tx.nowMs,
    dueAtMs: progressDeadlineMs === 0 ? null : tx.nowMs + progressDeadlineMs,
    endedAtMs: null,
    ...(shift ? { shift } : {}),
    history: [{ atMs: tx.nowMs, text: `started: ${cause}` }],
  }
  tx.putRollout(rollout)
  tx.event({ kind: 'Rollout', subject: rollout.id, action: 'rollout-started', reason: cause })
}

const historyLength = 50

/**
 * The rollout after a change of its fields; its reason becomes a line of the history unless `note`
 * says else.
 */
export function advance(
  tx: Transaction,
  rollout: Rollout,
  change: Partial<Rollout>,
  note: string | null = change.reason ?? null,
): Rollout {
  const next = { ...rollout, ...change }
  const line = note === null ? [] : [{ atMs: tx.nowMs, text: note }]
  const history = [...rollout.history, ...line].slice(-historyLength)
  return { ...next, endedAtMs: isOpen(next) ? null : tx.nowMs, history }
}
