import type { Instance, Rollout, RolloutPhase, ServiceKey } from '@bulkhead/shared'

import { advance, changeRevision } from '../rollout/core/new-revision.ts'
import { withdrawDueAtMs } from '../sessions/core/withdrawal.ts'
import type { Transaction } from '../state/view.ts'
import { createdAtMs, newInstance } from './core/new-instance.ts'
import type { Step } from './core/step.ts'

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>
type Handlers = {
  readonly [K in Step['kind']]: (tx: Transaction, key: ServiceKey, step: StepOf<K>) => void
}

/**
 * Writes what the reconciler decided, with an event for everything that people should be able to
 * look up.
 */
export function applySteps(tx: Transaction, key: ServiceKey, steps: readonly Step[]): void {
  for (const step of steps) {
    const handle = handlers[step.kind] as (tx: Transaction, key: ServiceKey, step: Step) => void
    handle(tx, key, step)
  }
  const created = steps.filter(({ kind }) => kind === 'create').length
  const service = tx.services.get(key)
  if (service && created > 0) tx.putService({ ...service, serial: service.serial + created })
}

const handlers: Handlers = {
  create(tx, key, step) {
    tx.putInstance(newInstance(key, step, createdAtMs(tx, key, step.slot)))
    tell(tx, step.id, 'created', step.node === null ? step.reason : `on ${step.node}: ${step.reason}`)
  },
  assign(tx, _key, { id, node, hostPorts, reason }) {
    change(tx, id, { node, hostPorts, cause: reason })
    tell(tx, id, 'assigned', `to ${node}: ${reason}`)
  },
  explain(tx, _key, { id, reason }) {
    change(tx, id, { cause: reason })
  },
  stop(tx, _key, { id, reason }) {
    const instance = tx.instances.get(id)
    const dueAtMs = instance ? withdrawDueAtMs(tx, instance, tx.nowMs) : null
    change(tx, id, { desired: 'stop', cause: reason, withdrawDueAtMs: dueAtMs })
    tell(tx, id, 'stopping', reason)
  },
  'give-up'(tx, _key, { id, reason }) {
    change(tx, id, { desired: 'stop', cause: reason, lostAtMs: tx.nowMs })
    tell(tx, id, 'given-up', reason)
  },
  forget(tx, _key, { id }) {
    tx.deleteInstance(id)
  },
  rollout: moveRollout,
  'roll-back': rollBack,
  status(tx, key, { status, reason }) {
    const service = tx.services.get(key)
    if (!service) return
    tx.putService({ ...service, status, reason })
    if (service.status === status) return
    const text = `${service.status} → ${status}: ${reason}`
    tx.event({ kind: 'Service', subject: key, action: 'status-changed', reason: text })
  },
  'remove-service': removeService,
  'forget-revision'(tx, key, { revision }) {
    tx.deleteRevision(key, revision)
  },
  'forget-rollout'(tx, _key, { id }) {
    tx.deleteRollout(id)
  },
}

function change(tx: Transaction, id: string, fields: Partial<Instance>): void {
  const instance = tx.instances.get(id)
  if (instance) tx.putInstance({ ...instance, ...fields })
}

function tell(tx: Transaction, subject: string, action: string, reason: string): void {
  tx.event({ kind: 'Instance', subject, action, reason })
}

function moveRollout(tx: Transaction, _key: ServiceKey, step: StepOf<'rollout'>): void {
  const rollout = tx.rollouts.get(step.id)
  if (!rollout) return
  const { kind: _kind, id: _id, note, ...fields } = step
  const { phase, reason } = fields
  tx.putRollout(advance(tx, rollout, fields, note))
  const action = actionOf(rollout, phase)
  if (note !== null || action !== 'rollout-progressed') {
    tx.event({ kind: 'Rollout', subject: rollout.id, action, reason: note ?? reason })
  }
}

const actionOf = (before: Rollout, phase: RolloutPhase): string =>
  before.phase === phase || phase === 'progressing' ? 'rollout-progressed' : `rollout-${phase}`

/** Revisions only count up: what is gone back to becomes a new one, with the replicas of now. */
function rollBack(tx: Transaction, key: ServiceKey, { to, reason }: StepOf<'roll-back'>): void {
  const service = tx.services.get(key)
  const current = service && tx.revisionOf(key, service.revision)
  const target = tx.revisionOf(key, to)
  if (!current || !target) return
  const { replicas } = current.spec
  const changed = target.spec.replicas !== replicas
  changeRevision(tx, {
    key,
    spec: { ...target.spec, replicas },
    source: changed ? { ...target.source, replicas } : target.source,
    template: target.template,
    actor: tx.actor,
    cause: `rolled back to the content of revision ${to}`,
    ending: { phase: 'rolled-back', reason },
  })
}

function removeService(tx: Transaction, key: ServiceKey): void {
  for (const { id } of tx.instancesOf(key)) tx.deleteInstance(id)
  for (const { id } of tx.rolloutsOf(key)) tx.deleteRollout(id)
  tx.deleteService(key)
  for (const { revision } of tx.revisionsOf(key)) tx.deleteRevision(key, revision)
  tx.event({ kind: 'Service', subject: key, action: 'deleted', reason: 'nothing of it is left' })
}
