import { type Assignment, splitServiceKey } from '@bulkhead/shared'

import type { ContainerInfo } from '../../core/container.ts'
import { ownership } from '../../core/ownership.ts'
import type { Publication } from './bridge.ts'

/** What the node publishes for what is assigned to it. */
export function publicationsOf(assignment: Assignment, address: string): readonly Publication[] {
  const { environment } = splitServiceKey(assignment.service)
  const { zone, ports } = assignment.template
  return Object.entries(assignment.hostPorts).flatMap(([name, hostPort]) => {
    const port = ports[name]
    if (port === undefined) return []
    const isFixed = port.host !== null
    return [{ environment, zone, address, protocol: port.protocol, hostPort, isFixed }]
  })
}

/**
 * What it publishes for a container that is there without an assignment: it is on its way out, and until it has gone
 * it is open to nobody else than before.
 */
export function publicationsOfContainer(
  { labels }: Pick<ContainerInfo, 'labels'>,
  address: string,
): readonly Publication[] {
  const environment = labels[ownership.environment] ?? ''
  const zone = labels[ownership.zone] ?? ''
  return hostPortsOf(labels[ownership.ports] ?? '').flatMap((hostPort) =>
    (['tcp', 'udp'] as const).map((protocol) => {
      return { environment, zone, address, protocol, hostPort, isFixed: false }
    }),
  )
}

function hostPortsOf(text: string): readonly number[] {
  try {
    const ports = JSON.parse(text) as Record<string, unknown>
    return Object.values(ports).filter((port) => typeof port === 'number')
  } catch {
    return []
  }
}
