import { nodeState, splitServiceKey, stateOf } from '@bulkhead/shared'
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'

import type { Counts, TrafficCounts } from '../sessions/traffic-counts.ts'
import type { ClusterView } from '../state/view.ts'

type ServiceLabel = 'environment' | 'service'

const counted: Readonly<Record<keyof Counts, readonly [name: string, help: string]>> = {
  requests: ['requests', 'Requests, or connections in mode tcp, that proxies have passed on.'],
  errors: ['errors', 'Answers 500 to 599, and connections that failed.'],
  connections: ['connections', 'Connections that proxies have made to instances.'],
  bytesIn: ['received_bytes', 'Bytes that services were sent.'],
  bytesOut: ['sent_bytes', 'Bytes that services have sent.'],
}

/** The metrics of one control plane. Counted when asked for: nothing is kept up to date that nobody reads. */
export class Metrics {
  readonly #view: ClusterView
  readonly #counts: TrafficCounts
  readonly #traffic = new Map<keyof Counts, Counter<ServiceLabel>>()
  readonly #registry = new Registry()
  readonly #instances: Gauge<'state' | 'health'>
  readonly #nodes: Gauge<'state'>
  readonly #services: Gauge<'status'>
  readonly #revision: Gauge

  constructor(view: ClusterView, counts: TrafficCounts) {
    this.#view = view
    this.#counts = counts
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#instances = new Gauge({
      name: 'bulkhead_instances',
      help: 'Instances on record.',
      labelNames: ['state', 'health'],
      registers,
    })
    this.#nodes = new Gauge({ name: 'bulkhead_nodes', help: 'Nodes by state.', labelNames: ['state'], registers })
    this.#services = new Gauge({
      name: 'bulkhead_services',
      help: 'Services by status.',
      labelNames: ['status'],
      registers,
    })
    this.#revision = new Gauge({ name: 'bulkhead_revision', help: 'Revision of the state.', registers })
    for (const key of Object.keys(counted) as (keyof Counts)[]) {
      const [what, help] = counted[key]
      const labelNames = ['environment', 'service'] as const
      this.#traffic.set(key, new Counter({ name: `bulkhead_service_${what}_total`, help, labelNames, registers }))
    }
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    this.#revision.set(this.#view.revision)
    this.#instances.reset()
    for (const instance of this.#view.instances.values()) {
      this.#instances.inc({ state: stateOf(instance), health: instance.observed.health })
    }
    this.#nodes.reset()
    for (const node of this.#view.nodes.values()) this.#nodes.inc({ state: nodeState(node) })
    this.#services.reset()
    for (const service of this.#view.services.values()) this.#services.inc({ status: service.status })
    this.#countTraffic()
    return this.#registry.metrics()
  }

  #countTraffic(): void {
    for (const [key, counter] of this.#traffic) {
      counter.reset()
      for (const [service, counts] of this.#counts.read()) {
        const { environment, name } = splitServiceKey(service)
        counter.inc({ environment, service: name }, counts[key])
      }
    }
  }
}
