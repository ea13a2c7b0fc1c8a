import { isLive } from '@bulkhead/shared'

import { ownership } from '../../../packages/agent/src/index.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

const lookEveryMs = 1000
/** Shorter than it takes an agent to look at all containers again without a cause. */
const withinMs = 10_000
/** So long after the last trouble agents have connected anew. */
const recoversMs = 6000

/** What a record says runs does run, or it takes an untroubled node no longer than this to say that it does not. */
export const told: MakeInvariant = (world) => {
  const missingSinceMs = new Map<string, number>()
  let lookedAtMs = 0
  return {
    name: 'told',
    onBoot() {
      // It was away, and starts as slowly as its machine is.
      world.controlTroubledAtMs = Math.max(world.controlTroubledAtMs, world.schedule.nowMs)
    },
    onEvent() {
      const { nowMs } = world.schedule
      if (nowMs < lookedAtMs + lookEveryMs) return
      lookedAtMs = nowMs
      const missing = missingFrom(world)
      for (const id of missingSinceMs.keys()) if (!missing.has(id)) missingSinceMs.delete(id)
      for (const id of missing) {
        world.count('told')
        const sinceMs = missingSinceMs.get(id) ?? nowMs
        missingSinceMs.set(id, sinceMs)
        if (nowMs - sinceMs < withinMs) continue
        world.fail('told', `${id} has no running container for ${withinMs / 1000} s, and its record says that it runs`)
      }
    },
  }
}

/** Instances on nodes that nothing is or was the matter with. */
function missingFrom(world: World): ReadonlySet<string> {
  const { nowMs } = world.schedule
  const missing = new Set<string>()
  if (nowMs < world.controlTroubledAtMs + recoversMs || !world.controlPlane.running) return missing
  const calm = new Set(
    world.nodes
      .filter(({ silencedUntilMs, link, process }) => nowMs >= silencedUntilMs + recoversMs && link.loss === 0 && process?.alive)
      .map(({ name }) => name),
  )
  const running = new Set(
    world.nodes.flatMap(({ engine }) => engine.running().map(({ info }) => info.labels[ownership.instance] ?? '')),
  )
  for (const instance of world.records.instance.values()) {
    if (instance.node === null || !calm.has(instance.node) || !isLive(instance)) continue
    if (instance.observed.state === 'running' && !running.has(instance.id)) missing.add(instance.id)
  }
  return missing
}
