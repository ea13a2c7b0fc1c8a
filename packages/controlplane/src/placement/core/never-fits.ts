import {
  counted,
  formatBytes,
  formatCpu,
  listed,
  type Node,
  type Revision,
  type ServiceKey,
} from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import { Books } from './books.ts'
import { explainRefusals, listNames } from './explain-refusal.ts'
import type { Filter, FilterContext } from './filters/filter.ts'
import { filtersOfHealthyNodes, fits } from './filters/pipeline.ts'
import { domainOf } from './labels.ts'
import { portKey, type PortRange } from './ports.ts'

const allPorts: PortRange = { first: 1, last: 65_535 }
const domainsShown = 4

/**
 * Why the replicas of the revision can never be placed all at once, with every registered node
 * taken as healthy and open and what other services reserve now counted; null when nothing proves
 * that. Without separation from itself, the bound is what the nodes can hold; with it, for each
 * level, the number of domains that have a node that fits. Both are exact for one level and for
 * levels within each other. What is `staying` of the service is there beside them.
 */
export function neverFits(
  view: ClusterView,
  key: ServiceKey,
  revision: Revision,
  portRange: PortRange = allPorts,
  staying: ReadonlySet<string> = new Set(),
): string | null {
  const { replicas, environment } = revision.spec
  if (replicas === 0) return null
  const { zone } = revision.template
  const nodes = view.nodesIn(environment, zone)
  if (nodes.length === 0) {
    return `no node is registered in environment ${environment} and zone ${zone}`
  }
  const leaving = view.instancesOf(key).filter(({ id }) => !staying.has(id))
  const books = new Books(view, key, leaving)
  const rules = revision.spec.placement
  const context: FilterContext = { view, service: key, revision, rules, books, portRange }
  const filters = filtersOfHealthyNodes(context)
  const own = rules.separate.filter(({ from }) => from === 'self').map(({ by }) => by)
  if (haveEnough(context, filters, nodes, own)) return null
  const fitting = nodes.filter((node) => fits(filters, node))
  if (fitting.length === 0) return `no node fits: ${explainRefusals(filters, nodes)}`
  const rest = restOf(filters, nodes, fitting)
  for (const by of own) {
    const reason = tooFewDomains(fitting, by, replicas)
    if (reason !== null) return reason + rest
  }
  if (own.length > 0) return null
  const reason = tooLittleRoom(context, fitting)
  return reason === null ? null : reason + rest
}

/** Looks no further than there is enough: as a rule that costs what is asked for, not what the zone has. */
function haveEnough(
  context: FilterContext,
  filters: readonly Filter[],
  nodes: readonly Node[],
  levels: readonly string[],
): boolean {
  const { replicas } = context.revision.spec
  const domains = levels.map((by) => ({ by, known: new Set<string>() }))
  let room = 0
  for (const node of nodes) {
    if (!fits(filters, node)) continue
    room += domains.length > 0 ? 0 : roomOn(context, node)
    for (const { by, known } of domains) {
      const domain = domainOf(node, by)
      if (domain !== undefined) known.add(domain)
    }
    const enough =
      domains.length > 0 ? domains.every(({ known }) => known.size >= replicas) : room >= replicas
    if (enough) return true
  }
  return false
}

function restOf(
  filters: readonly Filter[],
  nodes: readonly Node[],
  fitting: readonly Node[],
): string {
  if (fitting.length === nodes.length) return ''
  return `; ${explainRefusals(filters, nodes)}`
}

function tooFewDomains(fitting: readonly Node[], by: string, replicas: number): string | null {
  const domains = new Map<string, string[]>()
  for (const node of fitting) {
    const domain = domainOf(node, by)
    if (domain === undefined) continue
    const names = domains.get(domain)
    if (names) names.push(node.name)
    else domains.set(domain, [node.name])
  }
  if (domains.size >= replicas) return null
  const shown = [...domains]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, domainsShown)
    .map(([domain, names]) => (by === 'node' ? domain : `${domain} (${listNames(names)})`))
  const more = domains.size > domainsShown ? ` and ${domains.size - domainsShown} more` : ''
  const count = counted(domains.size, 'qualifies', 'qualify')
  return `${counted(replicas, 'replica needs', 'replicas need')} ${counted(replicas, by, `different ${by}s`)}, ${count}: ${shown.join(', ')}${more}`
}

function tooLittleRoom(context: FilterContext, fitting: readonly Node[]): string | null {
  const { replicas } = context.revision.spec
  const rooms = fitting.map((node) => ({ name: node.name, room: roomOn(context, node) }))
  const room = rooms.reduce((sum, one) => sum + one.room, 0)
  if (room >= replicas) return null
  const shown = rooms.slice(0, domainsShown).map((one) => `${one.name} (${one.room})`)
  const more = rooms.length > domainsShown ? ` and ${rooms.length - domainsShown} more` : ''
  const need = `${needOf(context.revision)}${replicas === 1 ? '' : ' each'}`
  return `${counted(replicas, 'replica needs', 'replicas need')} ${need}, there is room for ${room}: ${shown.join(', ')}${more}`
}

/** `250m cpu, 64Mi memory and host port tcp/80`: a fixed port is there once for each node. */
function needOf({ template }: Revision): string {
  const { cpuMillis, memoryBytes } = template.resources
  const ports = Object.values(template.ports).flatMap(({ protocol, host }) =>
    host === null ? [] : [`host port ${portKey(protocol, host)}`],
  )
  return listed(
    [`${formatCpu(cpuMillis)} cpu`, `${formatBytes(memoryBytes)} memory`, ...ports],
    'and',
  )
}

/** How many instances the node holds by cpu, memory and host ports. */
function roomOn({ revision, books, portRange }: FilterContext, { name, facts }: Node): number {
  const { cpuMillis, memoryBytes } = revision.template.resources
  const ports = Object.values(revision.template.ports)
  const reserved = books.reservedOn(name)
  const cpu = (facts.capacity.cpuMillis - reserved.cpuMillis) / Math.max(cpuMillis, 1)
  const memory = (facts.capacity.memoryBytes - reserved.memoryBytes) / Math.max(memoryBytes, 1)
  const fixed = ports.some(({ host }) => host !== null)
  const size = portRange.last - portRange.first + 1
  const byPorts = fixed ? 1 : Math.max(size, 1) / Math.max(ports.length, 1)
  return Math.max(Math.floor(Math.min(cpu, memory, byPorts)), 0)
}
