import {
  isHealthy,
  isLive,
  resolveServiceName,
  splitServiceKey,
  type ServiceKey,
} from '@bulkhead/shared'

import type { Plan } from './plan.ts'
import type { Slot } from './roster.ts'

/** A dependency that is not healthy; blocked: it will not become so by itself. */
export interface Unmet {
  readonly text: string
  readonly level: 'progressing' | 'blocked'
}

/**
 * What the first start of the slot waits for: `waits for api: 0 of 2 healthy`; null when nothing.
 * Only a service of which nothing lives waits, and only slots that never had an instance:
 * replacements and upgrades never do.
 */
export function unmetDependency(plan: Plan, slot: Slot): Unmet | null {
  if (plan.situation.wanted.spec.dependsOn.length === 0) return null
  if (plan.unmet === undefined) plan.unmet = findUnmet(plan)
  return slot.instances.some(({ node }) => node !== null) ? null : plan.unmet
}

/** As it was before this round decided anything: all slots are told the same. */
function findUnmet(plan: Plan): Unmet | null {
  const lives = plan.roster.slots.some((one) =>
    plan.roster.lives(one).some(({ node }) => node !== null),
  )
  return lives ? null : firstUnmet(plan)
}

/** True while the whole service waits for others, which is not its rollout's fault. */
export function waitsForOthers(plan: Plan): boolean {
  const first = plan.roster.wantedSlots[0]
  return first !== undefined && unmetDependency(plan, first) !== null
}

function firstUnmet(plan: Plan): Unmet | null {
  const { view, key, wanted } = plan.situation
  for (const name of wanted.spec.dependsOn) {
    const dependency = resolveServiceName(name, key)
    const { healthy, replicas } = healthOf(plan, dependency)
    if (healthy > 0) continue
    if (!view.services.has(dependency)) {
      return { text: `waits for ${name}: there is no such service`, level: 'blocked' }
    }
    const text = `waits for ${shortName(dependency, key)}: 0 of ${replicas} healthy`
    return { text, level: replicas === 0 ? 'blocked' : 'progressing' }
  }
  return null
}

function healthOf(plan: Plan, key: ServiceKey): { healthy: number; replicas: number } {
  const { view } = plan.situation
  const service = view.services.get(key)
  const replicas = (service && view.revisionOf(key, service.revision)?.spec.replicas) ?? 0
  const healthy = view.instancesOf(key).filter((instance) => {
    const node = instance.node === null ? undefined : view.nodes.get(instance.node)
    return isLive(instance) && isHealthy(instance) && node?.liveness === 'ready'
  }).length
  return { healthy, replicas }
}

function shortName(key: ServiceKey, of: ServiceKey): string {
  const { environment, name } = splitServiceKey(key)
  return environment === splitServiceKey(of).environment ? name : `${name}.${environment}`
}
