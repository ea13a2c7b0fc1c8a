import type { World } from '../world.ts'
import type { FaultHandlers, Until } from './handlers.ts'

type Kinds = 'cut' | 'break' | 'slow-network'

export function linkFaults({ network, nodes }: World, until: Until): FaultHandlers<Kinds> {
  const named = (names: readonly string[]) => nodes.filter(({ name }) => names.includes(name))
  return {
    cut({ nodes: names, forMs, direction }) {
      for (const { name, link } of named(names)) {
        network.stall(link, { up: direction !== 'down', down: direction !== 'up' })
        until(`link of ${name}`, forMs, () => network.stall(link, { up: false, down: false }))
      }
    },
    break({ nodes: names, ends }) {
      for (const { link } of named(names)) network.break(link, ends)
    },
    'slow-network'({ node: name, forMs, factor }) {
      for (const node of named([name])) {
        node.latency = factor
        until(`latency of ${name}`, forMs, () => (node.latency = 1))
      }
    },
  }
}
