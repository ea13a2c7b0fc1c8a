import { ownership } from '../../../packages/agent/src/index.ts'
import { answers } from '../world/program.ts'
import type { MakeInvariant } from './invariant.ts'
import { wantedBy } from './lineage.ts'

/** A program that has answered well for less than this may still be ended for what it did before. */
const wellForMs = 10_000

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
    const record = wantedBy(world.records, instance, node.name)
    if (!record) return
    world.fail(
      'healthy-is-left-alone',
      `${call} to ${instance} on ${node.name}, which works and is wanted as ${record.id}`,
    )
  },
})
