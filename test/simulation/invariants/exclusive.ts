import { ownership } from '../../../packages/agent/src/index.ts'
import { Ability, recoversMs } from '../world/ability.ts'
import type { SimContainer } from '../world/engine.ts'
import type { SimNode } from '../world/node.ts'
import type { World } from '../world/world.ts'
import type { Invariant } from './invariant.ts'

/** Nothing exclusive is started while another container of its slot runs anywhere. */
export const exclusive = (world: World): Invariant => {
  const abilities = new Map(world.nodes.map((node) => [node, new Ability()] as const))
  const vouchedAtMs = new Map<string, number>()
  /** Somebody has said that the machine is off when it is not, and it has heard nothing since. */
  const wasCalledOff = ({ name, heartbeats }: SimNode): boolean =>
    heartbeats.answeredFromMs < (vouchedAtMs.get(name) ?? -Infinity)
  return {
    name: 'exclusive',
    onEvent() {
      const { nowMs } = world.schedule
      for (const [node, ability] of abilities) ability.note(isAble(node), nowMs)
    },
    onCommit(commit) {
      for (const change of commit.changes) {
        if (change.kind !== 'node') continue
        if (change.after === undefined || change.after.confirmedDead)
          vouchedAtMs.set(change.key, world.schedule.nowMs)
      }
    },
    onEngineCall(node, call, id) {
      const starting = node.engine.containers.get(id)
      if (call !== 'start' || !starting || starting.info.state === 'running') return
      const service = starting.info.labels[ownership.service] ?? ''
      if (world.records.wanted(service)?.spec.exclusive !== true) return
      world.count('exclusive')
      if (wasCalledOff(node)) return
      for (const other of world.nodes) {
        const beside = other.engine.running().find((one) => isOfSameSlot(one, starting))
        if (!beside?.program) continue
        const { nowMs } = world.schedule
        const leaseEndsMs = other.heartbeats.answeredFromBefore(nowMs, recoversMs) + world.config.nodes.leaseMs
        const isVouched =
          wasCalledOff(other) ||
          (vouchedAtMs.get(other.name) ?? -Infinity) >= beside.program.startedAtMs
        const isUnable = abilities.get(other)?.isUnableSinceBefore(leaseEndsMs, nowMs) === true
        if (other !== node && (isVouched || (isUnable && nowMs >= leaseEndsMs))) continue
        world.fail(
          'exclusive',
          `${starting.info.name} is started on ${node.name} while ${beside.info.name} runs on ${other.name}, whose lease ends in ${Math.round(leaseEndsMs - nowMs)} ms`,
        )
      }
    },
  }
}

function isAble({ process, engine, host }: SimNode): boolean {
  return process?.alive === true && engine.up && host.suspendedUntilMs <= engine.nowMs
}

function isOfSameSlot(one: SimContainer, other: SimContainer): boolean {
  const [{ labels: a }, { labels: b }] = [one.info, other.info]
  return (
    one !== other &&
    a[ownership.service] === b[ownership.service] &&
    a[ownership.slot] === b[ownership.slot]
  )
}
