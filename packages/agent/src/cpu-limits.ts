import type { Clock } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { ContainerInfo } from './core/container.ts'
import { ownership } from './core/ownership.ts'
import { type Engine, EngineError } from './engine/engine.ts'

const retryMs = 5000
const maxTries = 10

export interface CpuLimitsDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly engine: Engine
  readonly containers: { get(id: string): ContainerInfo | undefined }
}

/**
 * A prepared successor is created with room for a quick start, because what the engine does to start a container
 * counts against the container's own limit; once it runs, it gets the limit that its label names. Applied to every
 * container that is seen running, so that an agent that was killed in between makes up for it.
 */
export class CpuLimits {
  readonly #deps: CpuLimitsDeps
  readonly #held = new Set<string>()

  constructor(deps: CpuLimitsDeps) {
    this.#deps = deps
  }

  /** Takes note of containers that may have begun to run. */
  follow(containers: Iterable<ContainerInfo>): void {
    for (const id of this.#held) {
      if (!this.#deps.containers.get(id)) this.#held.delete(id)
    }
    for (const { id, state, labels } of containers) {
      const cpuMillis = Number(labels[ownership.cpuLimit])
      if (!(cpuMillis > 0)) continue
      if (state !== 'running') this.#held.delete(id)
      else if (!this.#held.has(id)) {
        this.#held.add(id)
        void this.#limit(id, cpuMillis, 1)
      }
    }
  }

  async #limit(id: string, cpuMillis: number, tries: number): Promise<void> {
    const { clock, engine, logger, containers } = this.#deps
    try {
      await engine.limitCpu(id, cpuMillis)
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'no-such-container') return
      logger.warn({ err: error, containerId: id }, 'the CPU limit could not be set')
      if (tries >= maxTries) {
        this.#held.delete(id)
        return
      }
      clock.after(retryMs, () => {
        if (containers.get(id)?.state === 'running') void this.#limit(id, cpuMillis, tries + 1)
        else this.#held.delete(id)
      })
    }
  }
}
