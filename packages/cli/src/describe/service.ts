import type { Exposure, ServiceView } from '@bulkhead/shared'

import { instances } from '../kinds/instances.ts'
import { sortItems } from '../kinds/kind.ts'
import { shownLabels } from '../kinds/nodes.ts'
import { rollouts } from '../kinds/rollouts.ts'
import { stateOfService } from '../kinds/services.ts'
import { paintState } from '../output/states.ts'
import { type DescribeDeps, shownTime, writeEvents, writeSection } from './describe-deps.ts'
import { writeFields, writeHeading } from './write-fields.ts'

const rolloutLimit = 5

/** By the name that programs connect to; UDP is found by the ports of its instances. */
function shownPorts({ name, environment, address, spec }: ServiceView): string {
  const shown = Object.entries(spec?.ports ?? {}).map(([port, { port: number, protocol }]) =>
    protocol === 'tcp' && address !== null
      ? `${port} at ${name}.${environment}.bulkhead:${number}`
      : `${port} ${number}/${protocol}`,
  )
  return shown.join(', ')
}

/** `http at 443 for shop.example/api with TLS by secret cert`. */
function shownExposure({ port, listen, host, path, tlsSecret }: Exposure): string {
  const where = `${host ?? ''}${path === '/' ? '' : path}`
  const wanted = where === '' ? '' : ` for ${where}`
  return `${port} at ${listen}${wanted}${tlsSecret === null ? '' : ` with TLS by secret ${tlsSecret}`}`
}

async function writeSource(source: ServiceView['source'], { cli, look }: DescribeDeps) {
  if (source === undefined) return
  const { stringifyYaml } = await import('../output/yaml.ts')
  writeHeading(cli, 'Document', look.style)
  const text = stringifyYaml(source, { lineWidth: 0 })
  cli.stdout.write(text.replace(/^(?=.)/gm, '  '))
}

export async function describeService(service: ServiceView, deps: DescribeDeps): Promise<void> {
  const { client, cli, look } = deps
  const { style } = look
  const { environment, name, replicas } = service
  const { desired, running, healthy, updated } = replicas
  const state = stateOfService(service)
  writeFields(
    cli,
    [
      ['Service', name, style.bold],
      ['Environment', environment],
      ['Zone', service.zone],
      ['Status', state, (text) => paintState(text, style)],
      ['Reason', service.reason],
      [
        'Replicas',
        `${desired} wanted, ${running} running, ${healthy} healthy, ${updated} up to date`,
      ],
      ['Revision', String(service.revision)],
      ['Image', service.image],
      ['Digest', service.digest],
      ['Address', service.address ?? ''],
      ['Ports', shownPorts(service)],
      ['Exposed', (service.spec?.expose ?? []).map(shownExposure).join(', ')],
      ['Labels', shownLabels(service.labels)],
      ['Loosened', service.loosened.join(', '), style.yellow],
      ['Created', shownTime(service.createdAt, look)],
    ],
    style,
  )
  const query = { environment, service: name }
  const [ofInstances, ofRollouts] = await Promise.all([
    client.list('instances', query, cli.signal),
    client.list('rollouts', query, cli.signal),
  ])
  const given = ['environment'] as const
  await writeSection('Instances', instances, sortItems(instances, ofInstances.items), deps, given)
  const newest = sortItems(rollouts, ofRollouts.items).slice(-rolloutLimit)
  await writeSection('Rollouts', rollouts, newest, deps, given)
  await writeEvents([`${environment}/${name}`], deps)
  await writeSource(service.source, deps)
}
