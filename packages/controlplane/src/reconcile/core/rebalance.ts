import type { Instance, Node } from '@bulkhead/shared'

import type { FilterContext } from '../../placement/core/filters/filter.ts'
import {
  isKnownDomain,
  preferenceOf,
  reservedWith,
  spreadPath,
  Tally,
} from '../../placement/core/scores.ts'
import type { Plan } from './plan.ts'
import { refusalsOf } from './refusals.ts'

/**
 * A move for load alone must lower the reserved part by at least this much, seen from both nodes.
 */
const loadMargin = 0.2
const reasonPrefix = 'moved for balance'

/** Whether the reason of a create step says that it begins a move for balance. */
export const isMoveForBalance = (reason: string): boolean => reason.startsWith(reasonPrefix)

/**
 * Begins one move of a converged service, start before stop, when it brings the service strictly
 * nearer to what placement would choose now. Each move lowers, in this order, the weights missed,
 * per level of `spread` and then per node the sum of the squares of the counts, and last the load
 * of the fuller node: a vector that cannot fall for ever and that no move of another service
 * raises, so that moving comes to an end. True when a move was begun.
 */
export function rebalance(plan: Plan): boolean {
  const { situation, books } = plan
  const { view, key: service, context, wanted, replicas, surge } = situation
  const { enabled, movesLeft } = context.rebalance
  if (!enabled || movesLeft < 1 || surge === 0 || replicas === 0 || !plan.roster.mayAdd) return false
  const instances = plan.roster.wantedSlots.flatMap((slot) => plan.roster.lives(slot))
  const avoid = nodesThatRefused(plan)
  const target = plan.batch(wanted).peek({ id: '', avoid })
  if (!target.fits || avoid.has(target.node.name)) return false
  const rules = wanted.spec.placement
  const { portRange } = context
  const filters: FilterContext = { view, service, revision: wanted, rules, books, portRange }
  const gain = gainOf(filters, new Tally(view, instances, rules.spread), target.node)
  const best = worstPlaced(plan, instances, gain)
  if (best === null) return false
  const from = best.node ?? ''
  const placed = plan.batch(wanted).place({ id: plan.nextId(best.slot), avoid })
  if (!placed.fits) return false
  const { node, hostPorts } = placed
  const reason = `${reasonPrefix} from ${from} to ${node.name}`
  const begin = { predecessor: null, attempt: 0, startAtMs: situation.nowMs }
  plan.create({ slot: best.slot, revision: wanted, node, hostPorts, reason, ...begin })
  return true
}

/** A move can wait until what kept an instance from starting there may have changed. */
function nodesThatRefused(plan: Plan): ReadonlySet<string> {
  const refusals = refusalsOf(plan)
  for (const { untilMs } of refusals.values()) plan.wake(untilMs)
  return new Set(refusals.keys())
}

/** The instance that gains most by the move; null when none gains. */
function worstPlaced(
  { situation }: Plan,
  instances: readonly Instance[],
  gain: (from: Node) => readonly number[],
): Instance | null {
  let best: { instance: Instance; gain: readonly number[] } | null = null
  const known = new Map<string, readonly number[]>()
  for (const instance of instances) {
    const node = situation.nodeOf(instance)
    if (node?.liveness !== 'ready') continue
    const gained = known.get(node.name) ?? gain(node)
    known.set(node.name, gained)
    if (compareGains(gained, []) < 0) continue
    if (best === null || compareGains(gained, best.gain) > 0) best = { instance, gain: gained }
  }
  return best !== null && compareGains(best.gain, []) > 0 ? best.instance : null
}

/** Lexicographic; a missing element is 0. */
function compareGains(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** By how much a move from a node to `to` lowers each part of the potential. */
function gainOf(context: FilterContext, tally: Tally, to: Node): (from: Node) => readonly number[] {
  const prefer = preferenceOf(context)
  const levels = context.rules.spread
  const target = spreadPath(to, levels)
  const loadAfter = reservedWith(context, to)
  return (from) => {
    if (from.name === to.name) return []
    const gains = [prefer(to) - prefer(from)]
    for (const [index, path] of spreadPath(from, levels).entries()) {
      gains.push(...domainGain(tally, path, target[index] ?? path))
    }
    const difference = tally.onNode(from.name) - tally.onNode(to.name) - 1
    gains.push(difference)
    return [...gains, loadGain(context, from, loadAfter)]
  }
}

/** Known rather than unknown domains, then even ones. */
function domainGain(tally: Tally, from: string, to: string): readonly number[] {
  const unknown = Number(!isKnownDomain(from)) - Number(!isKnownDomain(to))
  if (from === to || unknown !== 0 || !isKnownDomain(to)) return [unknown, 0]
  return [0, tally.inDomain(from) - tally.inDomain(to) - 1]
}

function loadGain(context: FilterContext, from: Node, loadAfter: number): number {
  const { cpuMillis, memoryBytes } = context.revision.template.resources
  const { capacity } = from.facts
  const reserved = context.books.reservedOn(from.name)
  const part = (millis: number, bytes: number): number =>
    Math.max(millis / Math.max(capacity.cpuMillis, 1), bytes / Math.max(capacity.memoryBytes, 1))
  const before = part(reserved.cpuMillis, reserved.memoryBytes)
  const after = part(reserved.cpuMillis - cpuMillis, reserved.memoryBytes - memoryBytes)
  const falls = after < before
  return falls && before - loadAfter >= loadMargin ? before - loadAfter : 0
}
