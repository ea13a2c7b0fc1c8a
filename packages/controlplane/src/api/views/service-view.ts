import {
  isGone,
  isHealthy,
  loosened,
  serviceAddress,
  splitServiceKey,
  stateOf,
  type Instance,
  type InstanceView,
  type Revision,
  type RevisionView,
  type Service,
  type ServiceView,
} from '@bulkhead/shared'

import { endpointsOf } from '../../discovery/core/endpoints.ts'
import type { ClusterView } from '../../state/view.ts'
import { instanceReason } from './instance-reason.ts'
import { timeOf, timeOrNull } from './times.ts'

/** `network`: the one in which services have their addresses. */
export function serviceView(view: ClusterView, service: Service, network: string, full = false): ServiceView {
  const revision = view.revisionOf(service.key, service.revision)
  let running = 0
  let healthy = 0
  let updated = 0
  for (const instance of view.instancesOf(service.key)) {
    if (instance.lostAtMs !== null || instance.observed.state !== 'running') continue
    running += 1
    // As the status does: what was healthy when it was last heard of is not known to be so.
    const node = instance.node === null ? undefined : view.nodes.get(instance.node)
    if (!isHealthy(instance) || node?.liveness !== 'ready') continue
    healthy += 1
    const template = view.revisionOf(service.key, instance.revision)?.templateHash
    if (template === revision?.templateHash) updated += 1
  }
  return {
    name: service.name,
    environment: service.environment,
    zone: revision?.spec.zone ?? '',
    image: revision?.spec.image ?? '',
    digest: revision?.template.image.digest ?? '',
    revision: service.revision,
    replicas: {
      desired: service.deleting ? 0 : (revision?.spec.replicas ?? 0),
      running,
      healthy,
      updated,
    },
    status: service.status,
    reason: service.reason,
    deleting: service.deleting,
    labels: revision?.spec.labels ?? {},
    address: service.addressIndex === null ? null : serviceAddress(network, service.addressIndex),
    createdAt: timeOf(service.createdAtMs),
    loosened: revision ? loosened(revision.spec) : [],
    ...(full && revision ? { spec: revision.spec, source: revision.source } : {}),
  }
}

export function instanceView(view: ClusterView, instance: Instance, nowMs: number): InstanceView {
  const { name, environment } = splitServiceKey(instance.service)
  const revision = view.revisionOf(instance.service, instance.revision)
  const { observed } = instance
  const state = stateOf(instance)
  return {
    id: instance.id,
    service: name,
    environment,
    zone: revision?.template.zone ?? '',
    node: instance.node,
    slot: instance.slot,
    revision: instance.revision,
    state,
    health: state === 'lost' ? 'unknown' : observed.health,
    reason: instanceReason(view, instance, nowMs),
    containerId: observed.containerId,
    image: revision?.spec.image ?? '',
    digest: revision?.template.image.digest ?? '',
    createdAt: timeOf(instance.createdAtMs),
    startedAt: timeOrNull(observed.startedAtMs),
    finishedAt: timeOrNull(observed.finishedAtMs),
    exitCode: observed.exitCode,
    attempt: instance.attempt,
    predecessor: instance.predecessor,
    endpoints: endpointsOf(view, instance).map(({ port, address, hostPort }) => ({
      port,
      address,
      hostPort,
    })),
  }
}

/** Gone instances are history; the latest failure of a slot that nobody serves is news. */
export function isOfInterest(view: ClusterView, instance: Instance): boolean {
  if (!isGone(instance)) return true
  if (instance.observed.state !== 'failed') return false
  const siblings = view.instancesOf(instance.service).filter(({ slot }) => slot === instance.slot)
  return siblings.at(-1) === instance && siblings.every((sibling) => isGone(sibling))
}

export function revisionView(service: Service, revision: Revision): RevisionView {
  return {
    service: service.name,
    environment: service.environment,
    revision: revision.revision,
    current: revision.revision === service.revision,
    image: revision.spec.image,
    digest: revision.template.image.digest,
    actor: revision.actor,
    cause: revision.cause,
    createdAt: timeOf(revision.createdAtMs),
  }
}
