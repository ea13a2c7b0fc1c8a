import { ownership } from '../../../packages/agent/src/index.ts'
import type { SimNode } from '../world/node.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

/** Of one slot; the shortest back-off that is drawn gives a quarter of it. */
const limit = { start: 24, pull: 60, windowMs: 10_000 } as const

/** An image is pulled for all slots that wait for it at once. */
const slotOf = (node: SimNode, call: string, subject: string): string | null => {
  if (call === 'pull') return `${node.name} ${subject}`
  const labels = node.engine.containers.get(subject)?.info.labels
  return labels ? `${node.name} ${labels[ownership.service]} ${labels[ownership.slot]}` : null
}

/** Nothing is started or pulled without a pause, however often it fails. */
export const paced: MakeInvariant = (world: World) => {
  const calls = new Map<string, number[]>()
  return {
    name: 'paced',
    onEngineCall(node, call, subject) {
      if (call !== 'start' && call !== 'pull') return
      const slot = slotOf(node, call, subject)
      if (slot === null) return
      const { nowMs } = world.schedule
      const recent = [...(calls.get(slot) ?? []), nowMs].filter(
        (atMs) => atMs > nowMs - limit.windowMs,
      )
      calls.set(slot, recent)
      if (recent.length > 1) world.count('paced')
      if (recent.length > limit[call]) {
        world.fail(
          'paced',
          `${recent.length} calls of ${call} within ${limit.windowMs / 1000} s for ${slot}`,
        )
      }
    },
  }
}
