import {
  isGone,
  isLive,
  splitServiceKey,
  type Instance,
  type PlanResult,
  type ServiceKey,
} from '@bulkhead/shared'

import type { ClusterView, Transaction } from '../../state/view.ts'
import { applySteps } from '../apply-steps.ts'
import type { ReconcileContext } from './context.ts'
import { reconcile } from './reconcile.ts'
import type { Step } from './step.ts'

type PlanStep = PlanResult['steps'][number]

/** A bound on instances looked at, over all rounds. */
const workLimit = 500_000
const roundLimit = 20_000

export interface SimulatedPlan {
  readonly steps: readonly PlanStep[]
  /** False when the limit was reached before everything had come to rest. */
  readonly complete: boolean
}

/**
 * What would become of the services, in order: reconciles until nothing more is to be done in a
 * world where what is assigned is healthy at once and what is stopped is gone at once. Writes into
 * the transaction, which is meant to be taken back.
 */
export function simulatePlan(
  tx: Transaction,
  keys: readonly ServiceKey[],
  context: ReconcileContext,
): SimulatedPlan {
  const rehearsal: ReconcileContext = { ...context, rehearsal: true }
  const before = new Map(keys.map((key) => [key, tx.instancesOf(key).filter(isLive)]))
  const steps: PlanStep[] = []
  let work = 0
  for (let round = 0; round < roundLimit && work < workLimit; round++) {
    let moved = false
    for (const key of keys) {
      work += tx.instancesOf(key).length + 1
      const decided = reconcile(tx, key, rehearsal).steps
      steps.push(...decided.flatMap((step) => planned(tx, key, step) ?? []))
      applySteps(tx, key, decided)
      moved = idealise(tx, key) || decided.length > 0 || moved
    }
    if (!moved) return { steps: [...steps, ...kept(tx, before)], complete: true }
  }
  return { steps: [...steps, ...kept(tx, before)], complete: false }
}

/**
 * Everything happens at once and succeeds, except on nodes that are not heard from. True: something
 * happened.
 */
function idealise(tx: Transaction, key: ServiceKey): boolean {
  let moved = false
  for (const instance of tx.instancesOf(key)) {
    const node = instance.node === null ? undefined : tx.nodes.get(instance.node)
    if (node?.liveness !== 'ready' || isGone(instance)) continue
    const { state, health } = instance.observed
    if (instance.desired === 'run' && state === 'running' && health === 'healthy') continue
    tx.putInstance({ ...instance, observed: ideal(tx, instance) })
    moved = true
  }
  return moved
}

function ideal(tx: Transaction, { desired, observed }: Instance): Instance['observed'] {
  if (desired === 'stop') return { ...observed, state: 'stopped', finishedAtMs: tx.nowMs }
  const startedAtMs = observed.startedAtMs ?? tx.nowMs
  const healthy = { health: 'healthy', startedAtMs, healthySinceMs: tx.nowMs } as const
  return { ...observed, state: 'running', ...healthy }
}

/** Null for steps that say nothing about instances. */
function planned(view: ClusterView, key: ServiceKey, step: Step): PlanStep | null {
  if (step.kind === 'create') {
    const { id, slot, node, reason } = step
    if (node === null) return line(key, 'wait', { id, slot, node }, reason)
    const isFirst = !view.instancesOf(key).some((other) => other.slot === slot)
    return line(key, isFirst ? 'place' : 'replace', { id, slot, node }, reason)
  }
  if (step.kind !== 'assign' && step.kind !== 'explain' && step.kind !== 'stop') return null
  const instance = view.instances.get(step.id)
  if (!instance) return null
  const action = { assign: 'place', explain: 'wait', stop: 'stop' } as const
  const node = step.kind === 'assign' ? step.node : instance.node
  return line(key, action[step.kind], { ...instance, node }, step.reason)
}

function line(
  key: ServiceKey,
  action: PlanStep['action'],
  { id, slot, node }: Pick<Instance, 'id' | 'slot' | 'node'>,
  reason: string,
): PlanStep {
  const { environment, name } = splitServiceKey(key)
  return { service: name, environment, action, slot, instance: id, node, reason }
}

/** What lived before and still does. */
function kept(
  view: ClusterView,
  before: ReadonlyMap<ServiceKey, readonly Instance[]>,
): readonly PlanStep[] {
  const lines: PlanStep[] = []
  for (const [key, instances] of before) {
    for (const { id } of instances) {
      const now = view.instances.get(id)
      if (now && isLive(now)) lines.push(line(key, 'keep', now, 'stays as it is'))
    }
  }
  return lines
}
