import type { FromAgentMessage, ServiceKey } from '@bulkhead/shared'

import type { ClusterView } from '../state/view.ts'

type TrafficMessage = Extract<FromAgentMessage, { kind: 'traffic' }>
type InstanceTraffic = TrafficMessage['instances'][number]

/** What the proxies have passed on to a service since this control plane began. */
export type Counts = Readonly<Omit<InstanceTraffic, 'instance'>>

const nothing: Counts = { requests: 0, errors: 0, connections: 0, bytesIn: 0, bytesOut: 0 }

/** Adds up what agents tell of their proxies, by service; services that are gone are forgotten. */
export class TrafficCounts {
  readonly #view: ClusterView
  readonly #counts = new Map<ServiceKey, Counts>()

  constructor(view: ClusterView) {
    this.#view = view
  }

  take({ instances }: TrafficMessage): void {
    for (const { instance, ...more } of instances) {
      const service = this.#view.instances.get(instance)?.service
      if (service === undefined) continue
      const before = this.#counts.get(service) ?? nothing
      this.#counts.set(service, {
        requests: before.requests + more.requests,
        errors: before.errors + more.errors,
        connections: before.connections + more.connections,
        bytesIn: before.bytesIn + more.bytesIn,
        bytesOut: before.bytesOut + more.bytesOut,
      })
    }
  }

  read(): ReadonlyMap<ServiceKey, Counts> {
    for (const service of this.#counts.keys()) {
      if (!this.#view.services.has(service)) this.#counts.delete(service)
    }
    return this.#counts
  }
}
