import { sleep } from '@bulkhead/shared'
import type { DnsHandler } from '@bulkhead/shared/dns'

import type { NameState } from '../../../packages/agent/src/dns/core/name-state.ts'
import { nameHandler } from '../../../packages/agent/src/dns/name-handler.ts'
import type { NameServing, Served } from '../../../packages/agent/src/dns/name-serving.ts'
import type { Process } from './process.ts'

const guardMs = 5000
const serveMs = { least: 1, most: 20 } as const
const nothing: NameState = { bridges: [], directory: null, forwarding: false, resolvConf: '' }

/** What answers for names on a node: it outlives the agent that feeds it, and not its machine. */
export class SimNames {
  #state = nothing
  readonly handler: DnsHandler = nameHandler({
    state: () => this.#state,
    forwarder: null,
    onError: (error) => {
      throw error
    },
  })

  losePower(): void {
    this.#state = nothing
  }

  /** As one process of the agent feeds it. */
  fedBy(process: Process): NameServing {
    const { random } = process.host
    let wanted = nothing
    const take = (): Served => {
      if (random.chance(0.005)) throw new Error('the name server does not answer')
      this.#state = { ...wanted, directory: wanted.directory ?? this.#state.directory }
      return { listening: wanted.bridges.map(({ gateway }) => gateway), problems: {} }
    }
    const serve = (): Promise<Served> => {
      const takesMs = random.between(serveMs.least, serveMs.most)
      return process.ask(`${process.name} names are served`, takesMs / 2, take, takesMs / 2)
    }
    return {
      serve: (state) => {
        wanted = state
        return serve()
      },
      guard: async (signal, onServed) => {
        while (!signal.aborted) {
          await sleep(process.clock, guardMs, signal).catch(() => {})
          if (!signal.aborted) await serve().then(onServed, () => {})
        }
      },
      stop: async () => this.losePower(),
    }
  }
}
