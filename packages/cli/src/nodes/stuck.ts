import type { InstanceView, ServiceView } from '@bulkhead/shared'

import { shownService } from '../names/service-name.ts'
import { briefReason } from '../output/reason.ts'
import { plural, truncate } from '../output/text.ts'

/** A service that leaves instances on a node that is drained, and why. */
export interface Stuck {
  readonly service: string
  readonly count: number
  readonly reason: string
}

const troubles: readonly string[] = ['blocked', 'degraded']

export const isOnNode = ({ state }: InstanceView): boolean =>
  state !== 'stopped' && state !== 'failed' && state !== 'lost'

/** What of a node cannot go for now; what is just being replaced is not among it. */
export function stuckOf(
  instances: readonly InstanceView[],
  services: readonly ServiceView[],
): Stuck[] {
  return services
    .filter(({ status, reason }) => troubles.includes(status) && reason !== '')
    .flatMap((service) => {
      const { length } = instances.filter(
        (one) =>
          one.service === service.name &&
          one.environment === service.environment &&
          isOnNode(one) &&
          one.state !== 'draining' &&
          one.state !== 'stopping',
      )
      const { reason } = service
      return length === 0 ? [] : [{ service: shownService(service), count: length, reason }]
    })
}

const reasonLimit = 400

/** Slots mostly stay for the same reason, so that its beginning says it; `explain` has all of it. */
export function shownStuck({ service, count, reason }: Stuck): string {
  const why = truncate(briefReason(reason), reasonLimit)
  return `${plural(count, 'instance')} of ${service} cannot move: ${why}`
}
