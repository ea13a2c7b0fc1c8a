import type { FromAgentMessage } from '@bulkhead/shared'

import type { ServerTraffic } from '../proxy.ts'

type InstanceTraffic = Extract<FromAgentMessage, { kind: 'traffic' }>['instances'][number]
type Counters = Omit<InstanceTraffic, 'instance'>

/** What was counted when it was last told of, by process, backend and server. */
export type Told = ReadonlyMap<string, Counters>

/** As many as a message may have. */
const most = 10_000

const nothing: Counters = { requests: 0, errors: 0, connections: 0, bytesIn: 0, bytesOut: 0 }

/**
 * What each instance was given since `told`; those without anything new are left out. A process that is not among
 * `traffic` any more has ended, and what it counted last is lost.
 */
export function reportSince(
  told: Told,
  traffic: readonly ServerTraffic[],
): { readonly instances: readonly InstanceTraffic[]; readonly told: Told } {
  const next = new Map<string, Counters>()
  const byInstance = new Map<string, Counters>()
  for (const { process, backend, server, ...counted } of traffic) {
    const key = `${process} ${backend} ${server}`
    next.set(key, counted)
    const grown = combine(counted, told.get(key) ?? nothing, (now, before) =>
      Math.max(0, now - before),
    )
    if (Object.values(grown).every((count) => count === 0)) continue
    byInstance.set(
      server,
      combine(byInstance.get(server) ?? nothing, grown, (a, b) => a + b),
    )
  }
  const instances = [...byInstance].slice(0, most)
  return { instances: instances.map(([instance, counts]) => ({ instance, ...counts })), told: next }
}

const combine = (a: Counters, b: Counters, how: (a: number, b: number) => number): Counters => ({
  requests: how(a.requests, b.requests),
  errors: how(a.errors, b.errors),
  connections: how(a.connections, b.connections),
  bytesIn: how(a.bytesIn, b.bytesIn),
  bytesOut: how(a.bytesOut, b.bytesOut),
})
