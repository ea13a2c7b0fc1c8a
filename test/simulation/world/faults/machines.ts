import type { FaultStep } from '../../scenario/scenario.ts'
import type { SimNode } from '../node.ts'
import type { World } from '../world.ts'
import type { FaultHandlers, FaultOf, Until } from './handlers.ts'

type OnNode =
  | 'agent-crash'
  | 'agent-restart'
  | 'journal-lost'
  | 'engine-down'
  | 'containers-lost'
  | 'suspended'
  | 'slow'
  | 'events-break'
  | 'clock'
  | 'disk-full'
  | 'engine-full'
  | 'pulls-fail'
  | 'pulls-stall'

type OnNodeHandlers = { readonly [K in OnNode]: (node: SimNode, step: FaultOf<K>) => void }

export function machineFaults(world: World, until: Until): FaultHandlers<OnNode | 'power-off' | 'lists-slow'> {
  const onNode = handlersOnNode(world, until)
  const kinds = Object.keys(onNode) as OnNode[]
  const handlers = kinds.map((kind) => [
    kind,
    (step: FaultStep & { readonly node: string }) => {
      const node = world.nodeOf(step.node)
      if (!node) return
      const lastsMs = 'forMs' in step ? step.forMs : 0
      node.silence(lastsMs)
      node.troubledAtMs = Math.max(node.troubledAtMs, world.schedule.nowMs + lastsMs)
      const handler = onNode[kind] as (node: SimNode, step: FaultStep) => void
      handler(node, step)
    },
  ])
  return {
    ...(Object.fromEntries(handlers) as FaultHandlers<OnNode>),
    // No trouble that excuses anything: what changes meanwhile the engine tells by events.
    'lists-slow'({ node: name, forMs, takesMs }) {
      const engine = world.nodeOf(name)?.engine
      if (!engine) return
      engine.listsTakeMs = takesMs
      until(`lists of ${name}`, forMs, () => (engine.listsTakeMs = 0))
    },
    'power-off'({ host, forMs }) {
      const nodes = world.nodes.filter(({ plan }) => plan.host === host)
      for (const node of nodes) {
        node.silence(forMs)
        node.powerOff()
      }
      until(`power of ${host}`, forMs, () => {
        for (const node of nodes) node.powerOn()
      })
    },
  }
}

function handlersOnNode({ schedule }: World, until: Until): OnNodeHandlers {
  return {
    'agent-crash'(node, { forMs }) {
      node.killAgent()
      until(`agent of ${node.name}`, forMs, () => node.startAgent())
    },
    'journal-lost'(node, { forMs }) {
      node.killAgent()
      node.disk.wipe()
      until(`agent of ${node.name}`, forMs, () => node.startAgent())
    },
    'agent-restart': (node) => node.restartAgent(),
    'containers-lost'({ engine, name, host }, { forMs }) {
      engine.stop(false)
      engine.loseContainers()
      until(`engine of ${name}`, forMs, () => (engine.up = host.up))
    },
    'engine-down'({ engine, name, host }, { forMs, containersDie }) {
      engine.stop(containersDie)
      until(`engine of ${name}`, forMs, () => (engine.up = host.up))
    },
    suspended({ host }, { forMs }) {
      host.suspendedUntilMs = schedule.nowMs + forMs
    },
    slow({ host, name }, { forMs, factor }) {
      host.slowness = factor
      until(`speed of ${name}`, forMs, () => (host.slowness = 1))
    },
    'events-break': ({ engine }) => engine.breakEvents(),
    clock({ host }, { byMs }) {
      host.skewMs += byMs
    },
    'disk-full'({ disk, name }, { forMs }) {
      disk.full = true
      until(`disk of ${name}`, forMs, () => (disk.full = false))
    },
    'engine-full'({ engine }, { forMs }) {
      engine.fullUntilMs = schedule.nowMs + forMs
    },
    'pulls-fail'({ engine }, { forMs }) {
      engine.pullsFailUntilMs = schedule.nowMs + forMs
    },
    'pulls-stall'({ engine }, { forMs }) {
      engine.pullsStallUntilMs = schedule.nowMs + forMs
    },
  }
}
