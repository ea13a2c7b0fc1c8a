import type { World } from '../world.ts'
import type { FaultHandlers, Until } from './handlers.ts'

type Kinds = 'cut' | 'break' | 'slow-network' | 'lossy'

export function linkFaults({ network, nodes }: World, until: Until): FaultHandlers<Kinds> {
  const named = (names: readonly string[]) => nodes.filter(({ name }) => names.includes(name))
  return {
    cut({ nodes: names, forMs, direction }) {
      for (const node of named(names)) {
        const { name, link } = node
        node.silence(forMs)
        network.stall(link, { up: direction !== 'down', down: direction !== 'up' })
        until(`link of ${name}`, forMs, () => network.stall(link, { up: false, down: false }))
      }
    },
    break({ nodes: names, ends }) {
      for (const node of named(names)) {
        node.silence(0)
        network.break(node.link, ends)
      }
    },
    // No silence: with a share of all packets lost a node that is there is heard.
    lossy({ nodes: names, forMs, percent }) {
      for (const { name, link } of named(names)) {
        link.loss = percent / 100
        until(`loss on ${name}`, forMs, () => (link.loss = 0))
      }
    },
    'slow-network'({ node: name, forMs, factor }) {
      for (const node of named([name])) {
        node.silence(forMs)
        node.latency = factor
        until(`latency of ${name}`, forMs, () => (node.latency = 1))
      }
    },
  }
}
