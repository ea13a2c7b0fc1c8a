import type { Clock, HealthSpec } from '@bulkhead/shared'

import { type ContainerInfo, isAlive } from '../core/container.ts'
import type { HealthView } from '../core/health.ts'
import { isUnwanted, type Lineage } from '../core/lineage.ts'
import type { EngineWatch } from '../engine/engine-watch.ts'
import type { ProbeRunner } from './probe-runner.ts'

export interface ProbeSyncDeps {
  readonly clock: Clock
  readonly watch: Pick<EngineWatch, 'inspect'>
  readonly runner: ProbeRunner
}

/** A container without an address is asked for it again no sooner than this. */
const askAgainMs = 1000

/** Probes what runs and is wanted, and nothing else. */
export class ProbeSync {
  readonly #deps: ProbeSyncDeps
  readonly #asking = new Set<string>()

  constructor(deps: ProbeSyncDeps) {
    this.#deps = deps
  }

  drop(instance: string): void {
    this.#deps.runner.drop(instance)
  }

  /** Begins or ends probing as the lineage's state demands; returns what the probes say, null for nothing yet. */
  sync(lineage: Lineage, container: ContainerInfo | null): HealthView | null {
    const { runner } = this.#deps
    const { current, assignment } = lineage
    const { id, observed } = current
    const isProbed = observed.state === 'running' && !isUnwanted(lineage)
    if (!isProbed || container === null || !isAnswering(container)) {
      runner.drop(id)
      return null
    }
    const { health, ports } = assignment.template
    if (container.address === '' && needsAddress(health)) {
      void this.#ask(container.id)
      return runner.view(id)
    }
    const numbers = Object.entries(ports).map(([name, { port }]) => [name, port] as const)
    const target = {
      instance: id,
      containerId: container.id,
      address: container.address,
      ports: Object.fromEntries(numbers),
    }
    runner.ensure(target, health, observed.health)
    return runner.view(id)
  }

  async #ask(containerId: string): Promise<void> {
    if (this.#asking.has(containerId)) return
    this.#asking.add(containerId)
    this.#deps.clock.after(askAgainMs, () => this.#asking.delete(containerId))
    await this.#deps.watch.inspect(containerId)
  }
}

/** Nothing is to be learnt from one that cannot answer by somebody's hand. */
const isAnswering = (container: ContainerInfo): boolean =>
  isAlive(container) && container.state !== 'paused' && !container.isDetached

function needsAddress(health: HealthSpec): boolean {
  return [health.startup, health.readiness, health.liveness].some(
    (probe) => probe !== null && probe.check.kind !== 'exec',
  )
}
