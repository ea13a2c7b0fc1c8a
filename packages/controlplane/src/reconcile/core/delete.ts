import { counted, isGone } from '@bulkhead/shared'

import type { Plan } from './plan.ts'

/**
 * Stops everything of a deleted service; its records go when all containers are gone for certain.
 */
export function deleteService(plan: Plan): void {
  const { situation, roster } = plan
  const { slots } = roster
  for (const slot of slots) {
    for (const instance of roster.lives(slot)) plan.stop(instance, 'the service is deleted')
  }
  const left = slots.flatMap(({ instances }) =>
    instances.filter((instance) => !isGone(instance) && roster.mayExist(instance)),
  )
  if (left.length === 0) {
    plan.push({ kind: 'remove-service', service: situation.key })
    return
  }
  const silent = [...new Set(left.flatMap(({ node }) => node ?? []))]
    .filter((name) => situation.view.nodes.get(name)?.liveness !== 'ready')
    .toSorted()
  const whom = silent.length > 0 ? `; nothing is heard from ${silent.join(', ')}` : ''
  const reason = `is deleted: ${counted(left.length, 'instance is', 'instances are')} not gone yet${whom}`
  const status = silent.length > 0 ? 'blocked' : 'progressing'
  if (situation.service.status === status && situation.service.reason === reason) return
  plan.push({ kind: 'status', status, reason })
}
