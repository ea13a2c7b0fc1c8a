import { isHealthy, isLive, type EndpointsView } from '@bulkhead/shared'

import { ownership } from '../../../packages/agent/src/index.ts'
import type { SimContainer } from '../world/engine.ts'
import type { SimNode } from '../world/node.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

/** What the container at an address is told of the service; null when it is refused. */
async function ask(node: SimNode, from: string, service: string): Promise<string | null> {
  const answer = await node.discovery?.({ method: 'GET', url: `/v1/discovery/${service}`, from })
  if (answer?.status !== 200) return null
  const { endpoints } = JSON.parse(answer.body) as EndpointsView
  return endpoints
    .map(({ instance, address, hostPort }) => `${instance} ${address}:${hostPort}`)
    .toSorted()
    .join(', ')
}

/** What it should be told, from the records alone. */
function expected({ records, controlPlane }: World, zone: string, service: string): string | null {
  const wanted = records.wanted(service)
  const reaches = controlPlane.running?.state.view.zones.zones[zone]?.reaches ?? []
  if (!wanted || (wanted.spec.zone !== zone && !reaches.includes(wanted.spec.zone))) return null
  const serving = records.instancesOf(service).filter((one) => isLive(one) && isHealthy(one))
  const endpoints = serving.flatMap(({ id, node, hostPorts }) =>
    Object.values(hostPorts).map(
      (port) => `${id} ${records.node.get(node ?? '')?.facts.address}:${port}`,
    ),
  )
  return endpoints.toSorted().join(', ')
}

async function compare(world: World, node: SimNode, { info }: SimContainer): Promise<void> {
  const zone = info.labels[ownership.zone] ?? ''
  for (const service of world.records.service.keys()) {
    const told = await ask(node, info.address, service)
    const right = expected(world, zone, service)
    if (told === right) continue
    world.fail(
      'discovery',
      `${info.name} on ${node.name} asks for ${service} and is told "${told}", not "${right}"`,
    )
  }
}

/** At rest discovery tells every container of every service that it may reach, exactly the instances that serve. */
export const discovery: MakeInvariant = (world) => ({
  name: 'discovery',
  async onRest() {
    for (const node of world.nodes) {
      for (const container of node.engine.running()) {
        if (!node.engine.foreign.has(container.info.id)) await compare(world, node, container)
      }
    }
  },
})
