import type { Endpoint } from '@bulkhead/shared'

import type { Traffic, TrafficConsumer } from '../../../packages/agent/src/index.ts'
import type { Random } from '../random.ts'
import type { Process } from './process.ts'

/** It goes by new tables within this time, mostly … */
const usualMs = 40
/** … and now and then only after this. */
const slowMs = 1500

/** What sends traffic on a node: it outlives the agent that feeds it, and not its machine. */
export class SimProxy {
  /** By service, the instances that it sends traffic to. */
  #served = new Map<string, ReadonlySet<string>>()
  #endpoints: readonly Endpoint[] = []

  sendsTo(service: string, instance: string): boolean {
    return this.#served.get(service)?.has(instance) ?? false
  }

  /** So many requests to each service, as the weights have it: which instances got how many. */
  spread(count: number, random: Random): ReadonlyMap<string, number> {
    const requests = new Map<string, number>()
    for (const service of this.#served.keys()) {
      const instances = this.#served.get(service)
      const endpoints = this.#endpoints.filter((one) => one.weight > 0 && instances?.has(one.instance))
      const sum = endpoints.reduce((all, { weight }) => all + weight, 0)
      if (sum === 0) continue
      for (let index = 0; index < count; index++) {
        let left = random.between(0, sum)
        const chosen = endpoints.find(({ weight }) => (left -= weight) < 0) ?? endpoints[0]
        if (chosen) requests.set(chosen.instance, (requests.get(chosen.instance) ?? 0) + 1)
      }
    }
    return requests
  }

  losePower(): void {
    this.#served = new Map()
    this.#endpoints = []
  }

  /** The proxy as one process of the agent feeds it. */
  fedBy(process: Process): TrafficConsumer {
    const { random } = process.host
    return {
      name: 'proxy',
      serve: (traffic) => {
        const takesMs = random.chance(0.02) ? slowMs : random.between(1, usualMs)
        const done = Promise.withResolvers<void>()
        process.after(takesMs, `${process.name} proxy serves r${traffic.revision}`, () => {
          if (random.chance(0.01)) return done.reject(new Error('the proxy does not answer'))
          this.#take(traffic)
          done.resolve()
        })
        return done.promise
      },
    }
  }

  #take({ tables }: Traffic): void {
    const served = [...tables].map(([service, { endpoints }]) => {
      const instances = endpoints.map(({ instance }) => instance)
      return [service, new Set(instances)] as const
    })
    this.#served = new Map(served)
    this.#endpoints = [...tables.values()].flatMap(({ endpoints }) => endpoints)
  }
}
