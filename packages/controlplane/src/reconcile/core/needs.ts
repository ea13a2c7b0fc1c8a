import type { Instance } from '@bulkhead/shared'

import type { Plan } from './plan.ts'
import { violationJudge, type Judge } from './violations.ts'

/** Why a live instance cannot stay where or what it is; `text` is a clause about it. */
export interface Need {
  readonly kind: 'lost' | 'outdated' | 'violation' | 'drain'
  readonly text: string
}

/** Judges every live instance once, before anything is decided. */
export function findNeeds(plan: Plan): void {
  const judge = violationJudge(plan)
  for (const slot of plan.roster.slots) {
    for (const instance of plan.roster.lives(slot)) {
      plan.needs.set(instance.id, needOf(plan, instance, judge))
    }
  }
}

function needOf(plan: Plan, instance: Instance, judge: Judge): Need | null {
  const { situation } = plan
  const node = situation.nodeOf(instance)
  if (node?.liveness === 'lost') return { kind: 'lost', text: `node ${node.name} is lost` }
  if (!situation.isCurrent(instance) && !plan.holds(instance)) {
    const { revision, cause } = situation.wanted
    return { kind: 'outdated', text: `revision ${revision} (${cause})` }
  }
  // Nothing is known of a node that is silent: what is on it is left alone.
  if (node === undefined || node.liveness !== 'ready') return null
  const violation = judge(instance, node)
  if (violation !== null) return { kind: 'violation', text: violation }
  if (node.admittance !== 'draining') return null
  return { kind: 'drain', text: `node ${node.name} is drained` }
}
