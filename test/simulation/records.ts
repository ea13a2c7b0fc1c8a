import {
  serviceKey,
  type Instance,
  type Node,
  type Revision,
  type Rollout,
  type Service,
} from '@bulkhead/shared'

import type { ClusterView, Commit } from '../../packages/controlplane/src/state/view.ts'

/** What is durable, as the commits have told it: kept beside the control plane and across its restarts. */
export class Records {
  readonly service = new Map<string, Service>()
  readonly revision = new Map<string, Revision>()
  readonly instance = new Map<string, Instance>()
  readonly node = new Map<string, Node>()
  readonly rollout = new Map<string, Rollout>()
  at = 0

  take(commit: Commit): void {
    this.at = commit.revision
    for (const change of commit.changes) {
      if (change.kind === 'zones' || change.kind === 'token') continue
      if (change.kind === 'external' || change.kind === 'secret') continue
      const records = this[change.kind] as Map<string, unknown>
      if (change.after === undefined) records.delete(change.key)
      else records.set(change.key, change.after)
    }
  }

  /** Takes what a control plane has loaded. */
  load(view: ClusterView): void {
    for (const records of [this.service, this.revision, this.instance, this.node, this.rollout])
      records.clear()
    this.at = view.revision
    for (const [key, service] of view.services) {
      this.service.set(key, service)
      for (const revision of view.revisionsOf(key))
        this.revision.set(`${key}@${revision.revision}`, revision)
    }
    for (const [key, instance] of view.instances) this.instance.set(key, instance)
    for (const [key, node] of view.nodes) this.node.set(key, node)
    for (const [key, rollout] of view.rollouts) this.rollout.set(key, rollout)
  }

  /** The revision that is wanted of a service. */
  wanted(service: string): Revision | undefined {
    const record = this.service.get(service)
    return record && this.revision.get(`${service}@${record.revision}`)
  }

  revisionOf(instance: Instance): Revision | undefined {
    return this.revision.get(`${instance.service}@${instance.revision}`)
  }

  instancesOf(service: string): Instance[] {
    return [...this.instance.values()].filter((instance) => instance.service === service)
  }

  keyOf(environment: string, name: string): string {
    return serviceKey(environment, name)
  }
}
