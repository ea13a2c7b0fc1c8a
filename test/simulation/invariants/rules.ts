import {
  isGone,
  matchesSelector,
  nodeLabels,
  parseSelector,
  resolveServiceName,
  type Instance,
  type Node,
  type Revision,
} from '@bulkhead/shared'

import type { Records } from '../records.ts'

/* The hard rules of placement, written down a second time and without any cleverness. */

/** Whether the instance's container may exist somewhere, as far as anybody has said. */
function mayExist(records: Records, instance: Instance): boolean {
  if (instance.node === null || isGone(instance)) return false
  const node = records.node.get(instance.node)
  return node !== undefined && !node.confirmedDead
}

/** Which rules forbid that an instance of the revision is on the node, beside what is there; itself it does not mind. */
export function objections(
  records: Records,
  revision: Revision,
  node: Node,
  self: string,
): string[] {
  const found: string[] = []
  const { facts } = node
  const { template, spec } = revision
  if (!facts.zones.includes(template.zone)) found.push(`zone ${template.zone}`)
  if (facts.environments.length > 0 && !facts.environments.includes(spec.environment))
    found.push('environment')
  const { require } = placementOf(records, revision)
  for (const text of require) {
    const parsed = parseSelector(text)
    if (!parsed.ok || !matchesSelector(parsed.selector, nodeLabels(node))) found.push(text)
  }
  return [
    ...found,
    ...crowding(records, revision, node, self),
    ...separations(records, revision, node, self),
  ]
}

/** A change of rules alone makes no other container: the wanted rules hold for what is equal to the wanted one. */
function placementOf(records: Records, revision: Revision): Revision['spec']['placement'] {
  const wanted = records.wanted(revision.service)
  return wanted?.templateHash === revision.templateHash
    ? wanted.spec.placement
    : revision.spec.placement
}

function crowding(records: Records, revision: Revision, node: Node, self: string): string[] {
  const others = [...records.instance.values()].filter(
    (other) => other.id !== self && other.node === node.name && !isGone(other),
  )
  const templates = others.flatMap((other) => records.revisionOf(other)?.template ?? [])
  const { cpuMillis, memoryBytes } = revision.template.resources
  const usedCpu = templates.reduce((sum, { resources }) => sum + resources.cpuMillis, cpuMillis)
  const usedMemory = templates.reduce(
    (sum, { resources }) => sum + resources.memoryBytes,
    memoryBytes,
  )
  const found: string[] = []
  if (usedCpu > node.facts.capacity.cpuMillis) found.push('cpu')
  if (usedMemory > node.facts.capacity.memoryBytes) found.push('memory')
  for (const { host } of Object.values(revision.template.ports)) {
    if (host === null) continue
    if (others.some(({ hostPorts }) => Object.values(hostPorts).includes(host)))
      found.push(`port ${host}`)
  }
  return found
}

function separations(records: Records, revision: Revision, node: Node, self: string): string[] {
  // Where its own rules cannot be proved nothing of it is to be, however alone it is.
  const found = (placementOf(records, revision).separate ?? [])
    .filter(({ by }) => nodeLabels(node)[by] === undefined)
    .map(({ by }) => `no ${by}`)
  for (const other of records.instance.values()) {
    if (other.id === self || !mayExist(records, other)) continue
    const home = records.node.get(other.node ?? '')
    if (!home) continue
    for (const level of levelsBetween(records, revision.service, other.service)) {
      const [mine, theirs] = [nodeLabels(node)[level], nodeLabels(home)[level]]
      const isStrict = revision.service !== other.service
      if (mine === undefined || (theirs === undefined && isStrict) || mine === theirs) {
        found.push(`${other.id} on ${home.name} by ${level}`)
      }
    }
  }
  return found
}

/** The levels by which two services are to be kept apart, whichever of them says so. */
function levelsBetween(records: Records, a: string, b: string): string[] {
  const said = (of: string, against: string): string[] =>
    (records.wanted(of)?.spec.placement.separate ?? [])
      .filter(({ from }) => (from === 'self' ? of : resolveServiceName(from, of)) === against)
      .map(({ by }) => by)
  return a === b ? said(a, a) : [...said(a, b), ...said(b, a)]
}
