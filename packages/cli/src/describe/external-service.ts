import type { ExternalServiceView } from '@bulkhead/shared'

import { shownPorts } from '../kinds/external-services.ts'
import { type DescribeDeps, writeEvents } from './describe-deps.ts'
import { writeFields } from './write-fields.ts'

export async function describeExternalService(
  service: ExternalServiceView,
  deps: DescribeDeps,
): Promise<void> {
  const { cli, look } = deps
  writeFields(
    cli,
    [
      ['External service', service.name, look.style.bold],
      ['Environment', service.environment],
      ['Zone', service.zone],
      ['Addresses', service.addresses.join(', ')],
      ['Ports', shownPorts(service)],
      ['Revision', String(service.revision)],
    ],
    look.style,
  )
  await writeEvents([`${service.environment}/${service.name}`], deps)
}
