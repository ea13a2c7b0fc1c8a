import type { ZoneView } from '@bulkhead/shared'

import { externalServices } from '../kinds/external-services.ts'
import { sortItems } from '../kinds/kind.ts'
import { nodes } from '../kinds/nodes.ts'
import { services } from '../kinds/services.ts'
import { type DescribeDeps, writeSection } from './describe-deps.ts'
import { shownEgress } from './shown-egress.ts'
import { writeFields } from './write-fields.ts'

export async function describeZone(zone: ZoneView, deps: DescribeDeps): Promise<void> {
  const { client, cli, look } = deps
  writeFields(
    cli,
    [
      ['Zone', zone.name, look.style.bold],
      ['Edge', zone.edge ? 'yes: may publish to the outside' : 'no'],
      ['Reaches', zone.reaches.join(', ') || 'no other zone'],
      ['Egress', zone.egress.map(shownEgress).join(', ') || 'nothing leaves the cluster'],
    ],
    look.style,
  )
  const [ofNodes, ofServices, ofExternals] = await Promise.all([
    client.list('nodes', {}, cli.signal),
    client.list('services', {}, cli.signal),
    client.list('external-services', {}, cli.signal),
  ])
  const nodesOfZone = ofNodes.items.filter(({ zones }) => zones.includes(zone.name))
  const servicesOfZone = ofServices.items.filter((service) => service.zone === zone.name)
  await writeSection('Nodes', nodes, sortItems(nodes, nodesOfZone), deps)
  await writeSection('Services', services, sortItems(services, servicesOfZone), deps)
  const externalsOfZone = ofExternals.items.filter((service) => service.zone === zone.name)
  const sorted = sortItems(externalServices, externalsOfZone)
  await writeSection('External services', externalServices, sorted, deps)
}
