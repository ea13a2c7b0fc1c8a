import { ownership } from '../../../packages/agent/src/index.ts'
import type { MakeInvariant } from './invariant.ts'
import { descends, wantedBy } from './lineage.ts'

/** Beside one that is being replaced there is at most its replacement. */
const mostOfOneSlot = 2

/** No lineage has two containers that run; no slot has more that are wanted than a replacement needs. */
export const onePerSlot: MakeInvariant = (world) => ({
  name: 'one-per-slot',
  onEngineCall(node, call, id) {
    if (call !== 'start') return
    const starting = node.engine.containers.get(id)
    if (!starting || starting.info.state === 'running') return
    const labels = starting.info.labels
    const instance = labels[ownership.instance] ?? ''
    const beside = node.engine
      .running()
      .filter(
        ({ info }) =>
          info.labels[ownership.service] === labels[ownership.service] &&
          info.labels[ownership.slot] === labels[ownership.slot],
      )
    // A successor of what is to stop, but is withdrawn from traffic first, is started by an agent that is not told yet.
    let wanted = wantedBy(world.records, instance, node.name) ? 1 : 0
    if (beside.length > 0) world.count('one-per-slot')
    for (const { info } of beside) {
      const other = info.labels[ownership.instance] ?? ''
      if (other === instance || descends(instance, other) || descends(other, instance)) {
        world.fail(
          'one-per-slot',
          `${instance} is started on ${node.name} while ${other} of its lineage runs`,
        )
      }
      if (wantedBy(world.records, other, node.name)) wanted += 1
    }
    if (wanted > mostOfOneSlot)
      world.fail(
        'one-per-slot',
        `${wanted} containers run on ${node.name} in the slot of ${instance}`,
      )
  },
})
