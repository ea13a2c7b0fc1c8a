import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

/** Records of one service that may be kept: its slots with what was there before, revisions, rollouts. */
const limits = { instancesPerSlot: 5, slots: 8, revisions: 40, rollouts: 40 } as const
/** A journal is rewritten when it has grown by a mebibyte, or by twice what is in it. */
const journalBytes = 3 * 1024 * 1024
const timers = { base: 40, perContainer: 12 } as const

function problems({ records, nodes, controlPlane }: World): string[] {
  const found: string[] = []
  const count = (of: Iterable<{ readonly service: string }>, key: string): number =>
    [...of].filter(({ service }) => service === key).length
  for (const key of records.service.keys()) {
    const instances = count(records.instance.values(), key)
    const revisions = count(records.revision.values(), key)
    const rollouts = count(records.rollout.values(), key)
    if (instances > limits.instancesPerSlot * limits.slots)
      found.push(`${instances} instances of ${key}`)
    if (revisions > limits.revisions) found.push(`${revisions} revisions of ${key}`)
    if (rollouts > limits.rollouts) found.push(`${rollouts} rollouts of ${key}`)
  }
  for (const { name, disk, process, engine } of nodes) {
    if (disk.bytes > journalBytes) found.push(`the journal of ${name} has ${disk.bytes} bytes`)
    const most = timers.base + timers.perContainer * engine.containers.size
    if ((process?.timers ?? 0) > most)
      found.push(`the agent of ${name} has ${process?.timers} timers`)
  }
  const mostTimers = timers.base + timers.perContainer * records.service.size
  const set = controlPlane.process?.timers ?? 0
  if (set > mostTimers) found.push(`the control plane has ${set} timers`)
  return found
}

/** Nothing grows without bound: records, journals, timers. */
export const bounded: MakeInvariant = (world) => ({
  name: 'bounded',
  onRest() {
    world.count('bounded')
    for (const problem of problems(world)) world.fail('bounded', problem)
  },
})
