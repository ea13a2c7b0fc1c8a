import { isHealthy, isLive, splitServiceKey, type EndpointsView } from '@bulkhead/shared'

import { ownership } from '../../../packages/agent/src/index.ts'
import { question, readAnswer } from '../../../packages/shared/test/dns/support.ts'
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

/** The same by DNS: where each endpoint is, and its port; simulated services have one port at most. */
async function askByName(node: SimNode, from: string, service: string): Promise<string | null> {
  const { environment, name } = splitServiceKey(service)
  const domain = `${name}.${environment}.bulkhead`
  const lookUp = async (asked: string, type: 'A' | 'SRV') => {
    const message = question(asked, type)
    return readAnswer(await node.names.handler({ message, transport: 'tcp', from }))
  }
  const known = await lookUp(domain, 'A')
  if (known?.code !== 0) return null
  const services = (await lookUp(`_http._tcp.${domain}`, 'SRV'))?.answers ?? []
  const endpoints = services.map(async (service) => {
    const [target = '', port] = service.split(':')
    const address = await lookUp(target, 'A')
    return `${target.split('.')[0]} ${address?.answers.join(' ')}:${port}`
  })
  return (await Promise.all(endpoints)).toSorted().join(', ')
}

/** What it should be told, from the records alone. */
function expected({ records, controlPlane }: World, zone: string, service: string): string | null {
  const wanted = records.wanted(service)
  const reaches = controlPlane.running?.state.view.zones.zones[zone]?.reaches ?? []
  if (!wanted || (wanted.spec.zone !== zone && !reaches.includes(wanted.spec.zone))) return null
  // Who is sent nothing for now is not told of.
  const idle = controlPlane.running?.tables
    .get(service)
    ?.endpoints.filter(({ weight }) => weight === 0)
  const serving = records
    .instancesOf(service)
    .filter(
      (one) => isLive(one) && isHealthy(one) && !idle?.some(({ instance }) => instance === one.id),
    )
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
    const right = expected(world, zone, service)
    if (right !== null) world.count('discovery')
    const told = await ask(node, info.address, service)
    const byName = await askByName(node, info.address, service)
    for (const [how, seen] of [
      ['asks', told],
      ['asks by DNS', byName],
    ] as const) {
      if (seen === right) continue
      const text = `${info.name} on ${node.name} ${how} for ${service} and is told "${seen}", not "${right}"`
      world.fail('discovery', text)
    }
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
