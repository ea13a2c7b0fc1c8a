import { isOpen, type Clock, type FromAgentMessage, type InstanceId, type ServiceKey } from '@bulkhead/shared'

import type { TrafficSum } from '../reconcile/core/context.ts'
import type { ClusterView } from '../state/view.ts'

type InstanceTraffic = Extract<FromAgentMessage, { kind: 'traffic' }>['instances'][number]
type Reported = readonly Pick<InstanceTraffic, 'instance' | 'requests' | 'errors'>[]

interface Bucket {
  readonly atMs: number
  requests: number
  errors: number
}

/** Nothing older is judged by. */
const windowMs = 600_000
const bucketMs = 1000
/** Of services whose traffic is being moved; the longest silent ones are forgotten first. */
const instancesKept = 20_000

/**
 * What the proxies of all nodes have sent to instances whose revision is on trial, in memory and for a while: after a
 * restart of the control plane counting starts anew.
 */
export class TrafficLedger {
  readonly #view: ClusterView
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #buckets = new Map<InstanceId, Bucket[]>()

  constructor(view: ClusterView, clock: Pick<Clock, 'nowMs'>) {
    this.#view = view
    this.#clock = clock
  }

  /** Returns the services of which errors have been heard. */
  take(reported: Reported): ReadonlySet<ServiceKey> {
    const suspects = new Set<ServiceKey>()
    for (const { instance: id, requests, errors } of reported) {
      const service = this.#view.instances.get(id)?.service
      if (service === undefined || requests + errors === 0) continue
      const rollout = this.#view.openRolloutOf(service)
      if (!rollout?.shift || rollout.shift.done || !isOpen(rollout)) continue
      this.#count(id, Math.max(requests, errors), errors)
      if (errors > 0) suspects.add(service)
    }
    return suspects
  }

  /** What went to these instances since that time, as far as it is still known. */
  sum(instances: readonly InstanceId[], sinceMs: number): TrafficSum {
    const fromMs = Math.max(sinceMs, this.#clock.nowMs() - windowMs)
    const sum = { requests: 0, errors: 0 }
    for (const id of instances) {
      for (const { atMs, requests, errors } of this.#buckets.get(id) ?? []) {
        if (atMs < fromMs) continue
        sum.requests += requests
        sum.errors += errors
      }
    }
    return sum
  }

  #count(id: InstanceId, requests: number, errors: number): void {
    const nowMs = this.#clock.nowMs()
    const known = (this.#buckets.get(id) ?? []).filter(
      ({ atMs }) => atMs > nowMs - windowMs && atMs <= nowMs,
    )
    const last = known.at(-1)
    if (last && nowMs - last.atMs < bucketMs) {
      last.requests += requests
      last.errors += errors
    } else known.push({ atMs: nowMs, requests, errors })
    this.#buckets.delete(id)
    this.#buckets.set(id, known)
    this.#forget(nowMs)
  }

  /** The map is in the order in which instances were last heard of. */
  #forget(nowMs: number): void {
    for (const [id, buckets] of this.#buckets) {
      const isOld = (buckets.at(-1)?.atMs ?? 0) <= nowMs - windowMs
      if (!isOld && this.#buckets.size <= instancesKept) return
      this.#buckets.delete(id)
    }
  }
}
