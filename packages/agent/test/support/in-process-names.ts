import type { Clock } from '@bulkhead/shared'
import type { ListenDns } from '@bulkhead/shared/dns'

import { changedBy, changeTo } from '../../src/dns/core/name-change.ts'
import {
  emptyDirectory,
  type NameDirectory,
  type NameState,
} from '../../src/dns/core/name-state.ts'
import { NameServer } from '../../src/dns/name-server.ts'
import type { NameServing, Served } from '../../src/dns/name-serving.ts'

/** The name server without a process of its own: like one, it goes on when the agent has ended. */
export class InProcessNames implements NameServing {
  readonly #server: NameServer
  #told: NameDirectory | null = null
  #onServed: (served: Served) => void = () => {}

  constructor(clock: Clock, listen: ListenDns) {
    this.#server = new NameServer({
      clock,
      listen,
      forwarderOf: () => null,
      onError: (error) => {
        throw error
      },
      onServed: (served) => this.#onServed(served),
    })
  }

  /** By way of what would travel. */
  serve(state: NameState): Promise<Served> {
    const change = JSON.parse(JSON.stringify(changeTo(this.#told, state))) as ReturnType<
      typeof changeTo
    >
    this.#told = state.directory ?? this.#told
    return this.#server.serve(changedBy(this.#server.state.directory ?? emptyDirectory, change))
  }

  async guard(signal: AbortSignal, onServed: (served: Served) => void): Promise<void> {
    this.#onServed = onServed
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    // The next agent does not know what this one has told.
    this.#told = null
  }

  stop(): Promise<void> {
    return this.#server.close()
  }
}
