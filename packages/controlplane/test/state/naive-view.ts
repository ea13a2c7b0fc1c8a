import {
  isGone,
  isOpen,
  resolveServiceName,
  type Instance,
  type Node,
  type Revision,
  type Rollout,
  type Service,
  type ServiceKey,
  type ZonesSpec,
} from '@bulkhead/shared'

import type { ClusterView, Token } from '../../src/state/view.ts'

/** All records without any index. */
export interface Records {
  readonly zones: ZonesSpec
  readonly services: ReadonlyMap<string, Service>
  readonly revisions: ReadonlyMap<string, Revision>
  readonly instances: ReadonlyMap<string, Instance>
  readonly nodes: ReadonlyMap<string, Node>
  readonly rollouts: ReadonlyMap<string, Rollout>
  readonly tokens: ReadonlyMap<string, Token>
}

/** Names to ask a view about, existing or not. */
export interface Universe {
  readonly services: readonly ServiceKey[]
  readonly nodes: readonly string[]
  readonly environments: readonly string[]
  readonly zones: readonly string[]
  readonly revisions: readonly number[]
}

const byKey = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))

const text = (a: string, b: string): number => Number(a > b) - Number(a < b)

/** Everything that a view answers, as plain data. */
export function answersOf(view: ClusterView, universe: Universe): unknown {
  return {
    zones: view.zones,
    services: [...view.services],
    nodes: [...view.nodes],
    instances: [...view.instances],
    rollouts: [...view.rollouts],
    tokens: [...view.tokens],
    sizes: [view.services, view.nodes, view.instances, view.rollouts, view.tokens].map(
      (map) => map.size,
    ),
    byService: universe.services.map((service) => ({
      revisions: view.revisionsOf(service),
      found: universe.revisions.map((revision) => view.revisionOf(service, revision) ?? null),
      instances: view.instancesOf(service),
      rollouts: view.rolloutsOf(service),
      open: view.openRolloutOf(service) ?? null,
      separated: view.separatedBy(service),
      dependents: view.dependentsOf(service),
    })),
    byNode: universe.nodes.map((node) => ({
      instances: view.instancesOn(node),
      usage: usageOf(view, node),
    })),
    byPlace: universe.environments.flatMap((environment) =>
      universe.zones.map((zone) => view.nodesIn(environment, zone)),
    ),
  }
}

/** The same, made from the records in the most obvious way. */
export function naiveAnswers(records: Records, universe: Universe): unknown {
  const instances = [...records.instances.values()]
  const rollouts = [...records.rollouts.values()]
  return {
    zones: records.zones,
    services: byKey(records.services),
    nodes: byKey(records.nodes),
    instances: byKey(records.instances),
    rollouts: byKey(records.rollouts),
    tokens: byKey(records.tokens),
    sizes: [
      records.services,
      records.nodes,
      records.instances,
      records.rollouts,
      records.tokens,
    ].map((map) => map.size),
    byService: universe.services.map((service) => {
      const revisions = [...records.revisions.values()]
        .filter((one) => one.service === service)
        .toSorted((a, b) => a.revision - b.revision)
      const own = rollouts.filter((one) => one.service === service).toSorted((a, b) => a.to - b.to)
      return {
        revisions,
        found: universe.revisions.map(
          (revision) => revisions.find((one) => one.revision === revision) ?? null,
        ),
        instances: instances
          .filter((one) => one.service === service)
          .toSorted((a, b) => a.slot - b.slot || a.createdAtMs - b.createdAtMs || text(a.id, b.id)),
        rollouts: own,
        open: own.findLast(isOpen) ?? null,
        separated: naiveSeparatedBy(records, service),
        dependents: naiveDependentsOf(records, service),
      }
    }),
    byNode: universe.nodes.map((node) => ({
      instances: instances.filter((one) => one.node === node).toSorted((a, b) => text(a.id, b.id)),
      usage: naiveUsage(records, node),
    })),
    byPlace: universe.environments.flatMap((environment) =>
      universe.zones.map((zone) => naiveNodesIn(records, environment, zone)),
    ),
  }
}

function wantedRevisions(records: Records): Revision[] {
  return byKey(records.services).flatMap(([key, { revision }]) => {
    const found = [...records.revisions.values()].find(
      (one) => one.service === key && one.revision === revision,
    )
    return found ? [found] : []
  })
}

function naiveSeparatedBy(records: Records, service: ServiceKey): unknown[] {
  return wantedRevisions(records).flatMap((one) => {
    const levels = one.spec.placement.separate
      .filter(({ from }) => resolveServiceName(from, one.service) === service)
      .map(({ by }) => by)
    if (one.service === service) return []
    return [...new Set(levels)].toSorted().map((by) => ({ service: one.service, by }))
  })
}

function naiveDependentsOf(records: Records, service: ServiceKey): ServiceKey[] {
  return wantedRevisions(records)
    .filter((one) =>
      one.spec.dependsOn.some((name) => resolveServiceName(name, one.service) === service),
    )
    .map((one) => one.service)
}

function usageOf(view: ClusterView, node: string): unknown {
  const { cpuMillis, memoryBytes, instances, hostPorts } = view.usageOf(node)
  return { cpuMillis, memoryBytes, instances, hostPorts: [...hostPorts].toSorted() }
}

function naiveUsage(records: Records, node: string): unknown {
  const dead = records.nodes.get(node)?.confirmedDead ?? false
  const there = [...records.instances.values()].filter(
    (one) => one.node === node && !isGone(one) && !(one.lostAtMs !== null && dead),
  )
  const ports = new Set<string>()
  let cpuMillis = 0
  let memoryBytes = 0
  for (const one of there) {
    const template = records.revisions.get(`${one.service}@${one.revision}`)?.template
    cpuMillis += template?.resources.cpuMillis ?? 0
    memoryBytes += template?.resources.memoryBytes ?? 0
    for (const [name, port] of Object.entries(one.hostPorts)) {
      ports.add(`${template?.ports[name]?.protocol ?? 'tcp'}/${port}`)
    }
  }
  return { cpuMillis, memoryBytes, instances: there.length, hostPorts: [...ports].toSorted() }
}

function naiveNodesIn(records: Records, environment: string, zone: string): Node[] {
  return byKey(records.nodes)
    .map(([, node]) => node)
    .filter(({ facts }) => {
      const everywhere = facts.environments.length === 0
      return facts.zones.includes(zone) && (everywhere || facts.environments.includes(environment))
    })
}
