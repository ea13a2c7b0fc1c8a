import { nodeState, stateOf } from '@bulkhead/shared'
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client'

import type { ClusterView } from '../state/view.ts'

/** The metrics of one control plane. Counted when asked for: nothing is kept up to date that nobody reads. */
export class Metrics {
  readonly #view: ClusterView
  readonly #registry = new Registry()
  readonly #instances: Gauge<'state' | 'health'>
  readonly #nodes: Gauge<'state'>
  readonly #services: Gauge<'status'>
  readonly #revision: Gauge

  constructor(view: ClusterView) {
    this.#view = view
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
    return this.#registry.metrics()
  }
}
