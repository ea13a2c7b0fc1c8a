import {
  counted,
  isGone,
  nodeState,
  type Node,
  type NodeView,
  type ServiceKey,
} from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import { timeOf, timeOrNull } from './times.ts'

const servicesShown = 2

export function nodeView(view: ClusterView, node: Node, heardAtMs: number | null): NodeView {
  const { facts } = node
  const { cpuMillis, memoryBytes, instances } = view.usageOf(node.name)
  return {
    name: node.name,
    address: facts.address,
    zones: facts.zones,
    environments: facts.environments,
    labels: { ...facts.labels, ...node.labels },
    domain: facts.domain,
    state: nodeState(node),
    reason: reasonOf(view, node),
    capacity: facts.capacity,
    used: { cpuMillis, memoryBytes, instances },
    engine: facts.engine,
    network: facts.network,
    agentVersion: facts.agentVersion,
    joinedAt: timeOf(node.joinedAtMs),
    lastHeardAt: timeOrNull(heardAtMs),
  }
}

function reasonOf(view: ClusterView, node: Node): string {
  if (node.livenessReason !== '') return node.livenessReason
  if (node.admittance === 'cordoned') return 'cordoned by an operator'
  if (node.admittance !== 'draining') return ''
  const until =
    node.drainDueAtMs === null ? '' : `, at the latest until ${timeOf(node.drainDueAtMs)}`
  return [`drained by an operator${until}`, ...stateOfDrain(view, node)].join('; ')
}

/** What is left on the node, and which services do not let go of it. */
function stateOfDrain(view: ClusterView, { name }: Node): readonly string[] {
  const left = view
    .instancesOn(name)
    .filter((instance) => !isGone(instance) && instance.lostAtMs === null)
  if (left.length === 0) return ['nothing is left on it']
  const stays = new Set<ServiceKey>(
    left.flatMap(({ desired, service }) => (desired === 'run' ? service : [])),
  )
  const blocked = [...stays].flatMap((key) => {
    const service = view.services.get(key)
    return service?.status === 'blocked' ? `service ${key} is blocked: ${service.reason}` : []
  })
  const more =
    blocked.length > servicesShown
      ? [`and ${counted(blocked.length - servicesShown, 'more service')}`]
      : []
  return [`${counted(left.length, 'instance')} left`, ...blocked.slice(0, servicesShown), ...more]
}
