import { isHealthy, isLive, isOpen, nodeState } from '@bulkhead/shared'

import { ownership } from '../../../packages/agent/src/index.ts'
import type { World } from '../world/world.ts'
import { objections } from './rules.ts'

/** Null when the cluster is as its spec wants it, as far as its nodes permit; else what is missing. */
export function isConverged(world: World): string | null {
  const { records, controlPlane, nodes } = world
  if (!controlPlane.running) return 'the control plane does not run'
  for (const { name } of nodes) {
    const node = records.node.get(name)
    if (!node) return `node ${name} is not there`
    if (nodeState(node) !== 'ready')
      return `node ${name} is ${nodeState(node)}: ${node.livenessReason}`
  }
  for (const rollout of records.rollout.values()) {
    if (rollout.phase === 'progressing')
      return `rollout ${rollout.id} is progressing: ${rollout.reason}`
  }
  for (const key of records.service.keys()) {
    const missing = missingOf(world, key)
    if (missing !== null) return `service ${key}: ${missing}`
  }
  return null
}

/** A program of it hangs, and no liveness probe is there to find that out: only its owner can help. */
function hangsForGood({ records, nodes }: World, key: string): boolean {
  return nodes.some(({ engine }) =>
    engine.running().some(({ info, program }) => {
      const record = records.instance.get(info.labels[ownership.instance] ?? '')
      if (!program?.hangs || !record || record.service !== key || !isLive(record)) return false
      return records.revisionOf(record)?.spec.health.liveness === null
    }),
  )
}

function missingOf(world: World, key: string): string | null {
  const { records } = world
  const service = records.service.get(key)
  const wanted = records.wanted(key)
  if (!service || !wanted) return 'it has no revision'
  if (service.deleting) return 'it is still being deleted'
  const live = records.instancesOf(key).filter(isLive)
  const current = live.filter(
    (one) => records.revisionOf(one)?.templateHash === wanted.templateHash && isHealthy(one),
  )
  if (current.length === wanted.spec.replicas && service.status === 'converged') return null
  // A rollout that has failed rests as its policy says; only somebody else can go on.
  const paused = [...records.rollout.values()].some((one) => one.service === key && isOpen(one))
  const stuck = paused || !somebodyFits(world, key) || hangsForGood(world, key)
  if (stuck && service.status !== 'converged' && service.reason !== '') return null
  const states = live.map(
    ({ id, node, cause, observed }) =>
      `${id} on ${node} ${observed.state} ${observed.health} (${cause})`,
  )
  return `${current.length} of ${wanted.spec.replicas}, ${service.status}: ${service.reason}; ${states.join('; ')}`
}

/** Whether any node could take one more instance of the wanted revision as things are. */
function somebodyFits({ records }: World, key: string): boolean {
  const wanted = records.wanted(key)
  if (!wanted) return false
  return [...records.node.values()].some(
    (node) => objections(records, wanted, node, '').length === 0,
  )
}
