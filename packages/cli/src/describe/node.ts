import type { NodeView } from '@bulkhead/shared'

import { instances } from '../kinds/instances.ts'
import { sortItems } from '../kinds/kind.ts'
import { shownLabels } from '../kinds/nodes.ts'
import { formatBytes, formatCpu } from '../output/quantity.ts'
import { paintState } from '../output/states.ts'
import { type DescribeDeps, shownTime, writeEvents, writeSection } from './describe-deps.ts'
import { writeFields } from './write-fields.ts'

function shownDomain({ domain }: NodeView): string {
  const levels = ['provider', 'site', 'rack', 'host'] as const
  return levels
    .flatMap((level) => (domain[level] === null ? [] : [`${level} ${domain[level]}`]))
    .join(' / ')
}

function shownEngine({ engine }: NodeView): string | null {
  if (engine === null) return null
  const { version, apiVersion, os, architecture, kernel, cgroup, storage } = engine
  return `Docker ${version} (API ${apiVersion}), ${os} ${architecture}, kernel ${kernel}, cgroup ${cgroup}, ${storage}`
}

function shownProxy({ network: { proxy, proxyReason } }: NodeView): string {
  if (proxy !== null) return `HAProxy ${proxy}`
  return proxyReason === '' ? 'none' : `none: ${proxyReason}`
}

function shownNames({ network: { namesReason } }: NodeView): string | null {
  if (namesReason === undefined) return null
  return namesReason === '' ? 'served to its containers' : `not everywhere: ${namesReason}`
}

export async function describeNode(node: NodeView, deps: DescribeDeps): Promise<void> {
  const { client, cli, look } = deps
  const { style } = look
  const { used, capacity } = node
  writeFields(
    cli,
    [
      ['Node', node.name, style.bold],
      ['State', node.state, (text) => paintState(text, style)],
      ['Reason', node.reason],
      ['Address', node.address],
      ['Zones', node.zones.join(', ')],
      ['Environments', node.environments.join(', ')],
      ['Labels', shownLabels(node.labels)],
      ['Domain', shownDomain(node)],
      ['CPU', `${formatCpu(used.cpuMillis)} of ${formatCpu(capacity.cpuMillis)} cores reserved`],
      [
        'Memory',
        `${formatBytes(used.memoryBytes)} of ${formatBytes(capacity.memoryBytes)} reserved`,
      ],
      ['Engine', shownEngine(node)],
      [
        'Zones held',
        node.network.enforced ? 'by the kernel' : `no: ${node.network.enforcedReason}`,
      ],
      ['Proxy', shownProxy(node)],
      ['Names', shownNames(node)],
      ['Agent', node.agentVersion],
      ['Joined', shownTime(node.joinedAt, look)],
      ['Last heard', shownTime(node.lastHeardAt, look)],
    ],
    style,
  )
  const { items } = await client.list('instances', { node: node.name }, cli.signal)
  await writeSection('Instances', instances, sortItems(instances, items), deps, ['node'])
  await writeEvents([node.name], deps)
}
