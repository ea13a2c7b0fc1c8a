import { isGone, isLive, successorInstanceId } from '@bulkhead/shared'

import { ownership } from '../../../packages/agent/src/index.ts'
import type { SimNode } from '../world/node.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

function strays(world: World, node: SimNode): string[] {
  const found: string[] = []
  const running = new Set<string>()
  const wanted = [...world.records.instance.values()].filter(
    (one) => one.node === node.name && isLive(one),
  )
  const ids = new Set(wanted.map(({ id }) => id))
  const prepared = new Set(wanted.map(({ id }) => successorInstanceId(id)))
  for (const { info } of node.engine.containers.values()) {
    const instance = info.labels[ownership.instance]
    if (instance === undefined || node.engine.foreign.has(info.id)) continue
    if (info.state === 'running') running.add(instance)
    const isKnown = ids.has(instance) || (info.state === 'created' && prepared.has(instance))
    if (!isKnown)
      found.push(
        `${info.state} container ${info.id} of ${instance} on ${node.name} belongs to no record`,
      )
  }
  for (const { id, observed } of wanted) {
    if (observed.state === 'running' && !running.has(id))
      found.push(`${id} is said to run on ${node.name} and does not`)
  }
  for (const one of world.records.instance.values()) {
    if (one.node !== node.name || isLive(one) || isGone(one)) continue
    found.push(`${one.id} on ${node.name} is ${one.observed.state} for ever: ${one.cause}`)
  }
  for (const id of node.engine.foreign) {
    if (node.engine.containers.get(id)?.info.state !== 'running')
      found.push(`somebody else's container ${id} was touched`)
  }
  return found
}

/** At rest every container is accounted for by a record and the other way round; what is not ours was never touched. */
export const owners: MakeInvariant = (world) => ({
  name: 'owners',
  onEngineCall(node, call, id) {
    if (node.engine.foreign.has(id))
      world.fail('owners', `${call} to ${id} on ${node.name}, which is not ours`)
  },
  onRest() {
    for (const node of world.nodes) {
      world.count('owners')
      for (const problem of strays(world, node)) world.fail('owners', problem)
    }
  },
})
