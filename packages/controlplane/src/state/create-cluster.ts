import { defaultZones, type Clock, type ClusterEvent } from '@bulkhead/shared'

import type { Store } from '../store/store.ts'
import { zonesKey } from './change.ts'
import { clusterRecordKey } from './load.ts'

export interface CreateDeps {
  readonly store: Store
  readonly clock: Clock
  readonly newClusterId: () => string
}

/** The first commit of a store that knows no cluster: its id and its zones. */
export async function createCluster(
  { store, clock, newClusterId }: CreateDeps,
  expected: number,
): Promise<{ readonly cluster: string; readonly revision: number; readonly event: ClusterEvent }> {
  const cluster = newClusterId()
  const revision = expected + 1
  const event: ClusterEvent = {
    revision,
    at: new Date(clock.nowMs()).toISOString(),
    kind: 'Cluster',
    subject: cluster,
    actor: 'controlplane',
    action: 'created',
    reason: 'first start on an empty data directory',
  }
  await store.commit({
    expected,
    revision,
    changes: [
      { kind: 'meta', key: clusterRecordKey, value: { id: cluster } },
      { kind: 'zones', key: zonesKey, value: defaultZones },
    ],
    events: [event],
  })
  return { cluster, revision, event }
}
