import { isLive, type Instance, type Node, type Revision } from '@bulkhead/shared'

import { environmentFilter } from '../../placement/core/filters/environment.ts'
import type { Filter, FilterContext } from '../../placement/core/filters/filter.ts'
import { requireFilter } from '../../placement/core/filters/require.ts'
import { zoneFilter } from '../../placement/core/filters/zone.ts'
import { domainOf } from '../../placement/core/labels.ts'
import { describeOther, separationsOf, type Separation } from '../../placement/core/separation.ts'
import type { Plan } from './plan.ts'
import { placementRules } from './rules.ts'

/** Says why an instance breaks a hard rule where it runs now; null when it does not. */
export type Judge = (instance: Instance, node: Node) => string | null

/**
 * Rules and labels change after a placement: this looks at what runs in the light of what holds
 * now.
 */
export function violationJudge(plan: Plan): Judge {
  const judges = new Map<string, Judge>()
  return (instance, node) => {
    const revision = plan.situation.revisionLike(instance)
    if (revision === null) return null
    let judge = judges.get(revision.templateHash)
    if (judge === undefined) {
      judge = judgeFor(plan, revision)
      judges.set(revision.templateHash, judge)
    }
    return judge(instance, node)
  }
}

function judgeFor(plan: Plan, revision: Revision): Judge {
  const { view, key: service, context, wanted } = plan.situation
  const current = revision.templateHash === wanted.templateHash
  const rules = current ? placementRules(plan.situation, revision) : revision.spec.placement
  const { portRange } = context
  const { books } = plan
  const filterContext: FilterContext = { view, service, revision, rules, books, portRange }
  const filters = [environmentFilter, zoneFilter, requireFilter].map((make) => make(filterContext))
  const rulesOfSeparation = separationsOf(filterContext).filter(({ own }) => own)
  const conflicts = rulesOfSeparation.map((separation) => conflictJudge(plan, separation))
  return (instance, node) => {
    const text = broken(filters, node)
    if (text !== null) return text
    for (const conflict of conflicts) {
      const found = conflict(instance, node)
      if (found !== null) return found
    }
    return null
  }
}

function broken(filters: readonly Filter[], node: Node): string | null {
  const filter = filters.find((one) => !one.check(node))
  return filter === undefined ? null : `${node.name} ${filter.explain(node).one}`
}

/**
 * Of two that must not meet, one gives way: within a service the higher slot, between services the
 * one whose rule it is, and when both say so the one with the greater key.
 */
function conflictJudge(plan: Plan, { other, by }: Separation): Judge {
  const { view, key } = plan.situation
  const whom = describeOther(other, key)
  const mutual = view.separatedBy(key).some((rule) => rule.service === other && rule.by === by)
  const yields = other === key || !mutual || key > other
  const first = yields ? firstSlots(plan, other, by) : new Map<string, number>()
  return (instance, node) => {
    const domain = domainOf(node, by)
    if (domain === undefined) return `${node.name} has no label ${by}`
    const slot = first.get(domain)
    if (slot === undefined || (other === key && slot >= instance.slot)) return null
    const where = by === 'node' ? node.name : `${by} ${domain}`
    return `${whom} is on ${where} too`
  }
}

/** The lowest slot of the service that has a live instance in each domain. */
function firstSlots(plan: Plan, service: string, by: string): Map<string, number> {
  const { view } = plan.situation
  const first = new Map<string, number>()
  for (const instance of view.instancesOf(service)) {
    const node = instance.node === null ? undefined : view.nodes.get(instance.node)
    if (!isLive(instance) || node === undefined || node.confirmedDead) continue
    const domain = domainOf(node, by)
    if (domain === undefined) continue
    first.set(domain, Math.min(first.get(domain) ?? instance.slot, instance.slot))
  }
  return first
}
