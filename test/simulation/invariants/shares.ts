import { isHealthy, isLive, isOpen, type Endpoint, type ServiceSpec } from '@bulkhead/shared'

import type { Records } from '../records.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

/** Weights are whole numbers. */
const tolerance = 0.3

function problemOf(world: World, key: string): string | null {
  const { records, controlPlane } = world
  const endpoints = controlPlane.running?.tables.get(key)?.endpoints ?? []
  const wanted = records.wanted(key)
  const rollout = [...records.rollout.values()].find((one) => one.service === key && isOpen(one))
  const sum = (some: typeof endpoints): number => some.reduce((all, { weight }) => all + weight, 0)
  if (endpoints.length === 0 || !wanted) return null
  // Who has no port is in no table, and may be the one that has the traffic.
  if (records.instancesOf(key).some((one) => isLive(one) && isHealthy(one) && Object.keys(one.hostPorts).length === 0)) return null
  if (sum(endpoints) === 0) return `${endpoints.map(({ instance }) => instance).join(', ')} serve, and nobody is sent anything`
  const shift = rollout?.shift
  if (!shift) return whoIsOverburdened(endpoints, wanted.spec)
  if (shift.done || shift.strategy !== wanted.spec.update.strategy) return null
  const { exclusive, replicas, update } = wanted.spec
  if (exclusive || (shift.strategy === 'canary' && replicas < 2 && update.maxSurge === 0)) return null
  const news = endpoints.filter(({ instance }) => isNew(records, instance, wanted.templateHash))
  if (news.length === 0 || news.length === endpoints.length) return null
  const olds = endpoints.filter((one) => !news.includes(one))
  const share = (100 * sum(news)) / sum(endpoints)
  const step = update.steps?.[shift.step]?.weightPercent ?? shift.weight
  const [least, most] = [Math.min(shift.weight, step), Math.max(shift.weight, step)]
  const isAlone = olds.every(({ weight }) => weight === 0)
  if (share >= least - tolerance && (share <= most + tolerance || isAlone)) return null
  return `${share} % of new traffic to the new revision, and ${least} to ${most} were meant`
}

/** Few are sent what was meant for many, while others that serve are sent nothing. */
function whoIsOverburdened(endpoints: readonly Endpoint[], { replicas, update }: ServiceSpec): string | null {
  const sent = endpoints.filter(({ weight }) => weight > 0).length
  const enough = Math.min(replicas - update.maxUnavailable, endpoints.length)
  return sent >= enough ? null : `${sent} are sent all traffic, ${endpoints.length} serve, and ${enough} were promised`
}

function isNew(records: Records, instance: string, templateHash: string): boolean {
  const record = records.instance.get(instance)
  return record !== undefined && records.revisionOf(record)?.templateHash === templateHash
}

const isShared = (records: Records, key: string): boolean =>
  [...records.rollout.values()].some((one) => one.service === key && isOpen(one) && one.shift)

/** New traffic is shared as the step says, and somebody gets it as long as anybody serves. */
export const shares: MakeInvariant = (world) => {
  let pending = new Set<string>()
  return {
    name: 'shares',
    onCommit(commit) {
      for (const change of commit.changes) {
        if (change.kind === 'service') pending.add(change.key)
        if (change.kind !== 'rollout' && change.kind !== 'instance') continue
        pending.add((change.after ?? change.before)?.service ?? '')
      }
    },
    // By then the tables have followed, and nothing is on its way to the disk any more.
    onEvent() {
      if (pending.size === 0 || world.controlPlane.running?.state.view.revision !== world.records.at) return
      const touched = pending
      pending = new Set()
      for (const key of touched) {
        if (isShared(world.records, key)) world.count('shares')
        const problem = problemOf(world, key)
        if (problem !== null) world.fail('shares', `${key}: ${problem}`)
      }
    },
  }
}
