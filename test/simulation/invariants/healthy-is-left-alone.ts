import { leaseStops } from '@bulkhead/shared'

import { ownership } from '../../../packages/agent/src/index.ts'
import type { SimNode } from '../world/node.ts'
import { answers } from '../world/program.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'
import { wantedBy } from './lineage.ts'

/** A program that has answered well for less than this may still be ended for what it did before. */
const wellForMs = 10_000

/** What is exclusive is stopped by an agent that has heard no answer for so long, and a stop that has begun goes on. */
function lacksLease(world: World, node: SimNode, service: string): boolean {
  if (world.records.wanted(service)?.spec.exclusive !== true) return false
  const { signalAfterMs } = leaseStops(world.config.nodes.leaseMs)
  const { answeredFromMs, resumedAtMs } = node.heartbeats
  const { nowMs } = world.schedule
  return nowMs >= answeredFromMs + signalAfterMs || nowMs < resumedAtMs + wellForMs
}

/** No agent ends a container that is wanted and works. */
export const healthyIsLeftAlone: MakeInvariant = (world) => ({
  name: 'healthy-is-left-alone',
  onEngineCall(node, call, id) {
    if (!call.startsWith('signal') && call !== 'remove') return
    const container = node.engine.containers.get(id)
    const program = container?.program
    if (!container || !program || container.info.state !== 'running') return
    if (answers(program, node.engine.nowMs - wellForMs) !== true || program.failsUntilMs > 0) return
    const instance = container.info.labels[ownership.instance] ?? ''
    const isTroubled =
      node.troubledAtMs > node.engine.nowMs - wellForMs || world.isSpoiled(instance)
    if (isTroubled) return
    if (lacksLease(world, node, container.info.labels[ownership.service] ?? '')) return
    world.count('healthy-is-left-alone')
    const record = wantedBy(world.records, instance, node.name)
    if (!record) return
    world.fail(
      'healthy-is-left-alone',
      `${call} to ${instance} on ${node.name}, which works and is wanted as ${record.id}`,
    )
  },
})
