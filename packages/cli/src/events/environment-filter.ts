import type { EventView, InstanceView, ServiceView } from '@bulkhead/shared'
import type { Client } from '@bulkhead/shared/client'

interface Known {
  readonly services: readonly Pick<ServiceView, 'environment' | 'name'>[]
  readonly instances: readonly Pick<InstanceView, 'environment' | 'id'>[]
}

const serviceOf = (instance: string): string => instance.replace(/-[0-9]+-[a-z0-9]+$/, '')

/**
 * Which events are of an environment. Those of services and rollouts say it; an instance is looked up, and one
 * that is on record no more, or not yet, belongs to every environment that has a service of its name.
 */
export function environmentFilter(
  environment: string,
  { services, instances }: Known,
): (event: EventView) => boolean {
  const ofInstances = new Map(instances.map((instance) => [instance.id, instance.environment]))
  const names = new Set(
    services.filter((service) => service.environment === environment).map(({ name }) => name),
  )
  return ({ kind, subject }) => {
    if (kind === 'Service' || kind === 'Rollout') {
      const [of = '', name = ''] = subject.split(/[/@]/)
      // A service that is gone, or that comes while events are followed, is known by its own events.
      if (of === environment) names.add(name)
      return of === environment
    }
    if (kind !== 'Instance') return false
    const known = ofInstances.get(subject)
    return known === undefined ? names.has(serviceOf(subject)) : known === environment
  }
}

export async function readEnvironmentFilter(
  environment: string,
  client: Client,
  signal: AbortSignal,
): Promise<(event: EventView) => boolean> {
  const [services, instances] = await Promise.all([
    client.list('services', {}, signal),
    client.list('instances', { all: true }, signal),
  ])
  return environmentFilter(environment, { services: services.items, instances: instances.items })
}
