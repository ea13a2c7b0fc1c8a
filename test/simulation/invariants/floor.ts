import { isHealthy, isLive, isOpen, type Instance } from '@bulkhead/shared'

import type { Commit } from '../../../packages/controlplane/src/state/view.ts'
import type { Records } from '../records.ts'
import type { MakeInvariant } from './invariant.ts'

const serves = (records: Records, one: Instance): boolean =>
  isLive(one) && isHealthy(one) && records.node.get(one.node ?? '')?.liveness === 'ready'

/** The instances that serve and that the commit has stopped, by service. */
function stoppedBy(records: Records, commit: Commit): Map<string, Instance[]> {
  const stopped = new Map<string, Instance[]>()
  for (const change of commit.changes) {
    if (change.kind !== 'instance' || !change.before || !change.after) continue
    const { before, after } = change
    if (before.desired !== 'run' || after.desired !== 'stop' || after.lostAtMs !== null) continue
    if (!serves(records, before)) continue
    stopped.set(after.service, [...(stopped.get(after.service) ?? []), after])
  }
  return stopped
}

/** Who is sent new traffic: of two sets of blue-green one is not, and at the end of a canary the old ones are not. */
function carriersOf(records: Records, key: string): (one: Instance) => boolean {
  const rollout = [...records.rollout.values()].find((one) => one.service === key && isOpen(one))
  const { shift } = rollout ?? {}
  const wanted = records.wanted(key)
  if (!shift || !wanted || (!shift.done && wanted.spec.update.strategy !== shift.strategy)) return () => true
  const isNew = (one: Instance): boolean =>
    records.revisionOf(one)?.templateHash === wanted.templateHash
  if (shift.weight === 100) return isNew
  return shift.strategy === 'blue-green' ? (one) => !isNew(one) : () => true
}

/** Nothing that we do ourselves leaves fewer serving than the update policy promises. */
export const floor: MakeInvariant = (world) => ({
  name: 'floor',
  onCommit(commit) {
    const { records } = world
    for (const [key, stopped] of stoppedBy(records, commit)) {
      const service = records.service.get(key)
      const wanted = records.wanted(key)
      if (!service || service.deleting || !wanted) continue
      const overdue = stopped.filter(({ cause }) => cause.includes('deadline of the drain'))
      if (overdue.length === stopped.length) continue
      const { maxUnavailable } = wanted.spec.update
      const isStopFirst =
        wanted.spec.exclusive || stopped.some(({ cause }) => cause.includes('stopped first'))
      const promised =
        wanted.spec.replicas - (isStopFirst ? Math.max(maxUnavailable, 1) : maxUnavailable)
      const carries = carriersOf(records, key)
      if (!stopped.some(carries)) continue
      world.count('floor')
      const left =
        records.instancesOf(key).filter((one) => serves(records, one) && carries(one)).length +
        overdue.length
      if (left >= promised) continue
      const causes = stopped.map(({ id, cause }) => `${id} (${cause})`).join('; ')
      world.fail(
        'floor',
        `${key}: ${left} serve and ${promised} were promised, after stopping ${causes}`,
      )
    }
  },
})
