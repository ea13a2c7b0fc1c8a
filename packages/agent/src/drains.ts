import type { Clock, Timer } from '@bulkhead/shared'

import { type ContainerInfo, isAlive } from './core/container.ts'
import type { Lineage } from './core/lineage.ts'
import type { Engine } from './engine/engine.ts'

export interface DrainsDeps {
  readonly clock: Clock
  readonly engine: Pick<Engine, 'connections'>
  /** Nobody has been connected to the instance for a moment. */
  readonly onQuiet: (instance: string) => void
}

interface Drain {
  timer: Timer | null
  /** Looks in a row that found no connection. */
  quietLooks: number
}

const lookEveryMs = 100
/** One look may fall between two requests of a client that connects anew for each. */
const quietLooks = 2

/** Watches the connections of instances that drain, so that they need not wait for longer than anybody uses them. */
export class Drains {
  readonly #deps: DrainsDeps
  readonly #drains = new Map<string, Drain>()

  constructor(deps: DrainsDeps) {
    this.#deps = deps
  }

  /** Begins or ends watching as the lineage's state demands; true when nobody is connected any more. */
  sync({ current, assignment }: Lineage, container: ContainerInfo | null): boolean {
    const { id, observed } = current
    if (observed.state !== 'draining' || container === null || !isAlive(container)) {
      this.#drains.get(id)?.timer?.cancel()
      this.#drains.delete(id)
      return false
    }
    const known = this.#drains.get(id)
    if (known) return known.quietLooks >= quietLooks
    const ports = Object.values(assignment.template.ports)
    // Whether somebody still sends datagrams cannot be told.
    if (ports.some(({ protocol }) => protocol !== 'tcp')) return false
    const drain: Drain = { timer: null, quietLooks: 0 }
    this.#drains.set(id, drain)
    const numbers = ports.map(({ port }) => port)
    this.#lookLater(id, drain, () => this.#deps.engine.connections(container.id, numbers))
    return false
  }

  #lookLater(instance: string, drain: Drain, count: () => Promise<number | null>): void {
    drain.timer = this.#deps.clock.after(lookEveryMs, () => {
      void this.#look(instance, drain, count)
    })
  }

  async #look(instance: string, drain: Drain, count: () => Promise<number | null>): Promise<void> {
    const open = await count().catch(() => null)
    if (this.#drains.get(instance) !== drain) return
    drain.quietLooks = open === 0 ? drain.quietLooks + 1 : 0
    if (drain.quietLooks < quietLooks) this.#lookLater(instance, drain, count)
    else this.#deps.onQuiet(instance)
  }
}
