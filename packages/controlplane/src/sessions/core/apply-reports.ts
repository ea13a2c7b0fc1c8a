import {
  isGone,
  mayFollow,
  successorInstanceId,
  type Instance,
  type InstanceReport,
  type Observed,
} from '@bulkhead/shared'

import type { ClusterView, Transaction } from '../../state/view.ts'
import { believable } from './believable.ts'
import { Descent } from './descent.ts'

/** Takes what the agent of `node` reports into the records. Reports that fit no record change nothing. */
export function applyReports(
  tx: Transaction,
  node: string,
  reports: readonly InstanceReport[],
): void {
  const descent = new Descent()
  for (const told of reports) {
    const report = believable(told)
    const instance = tx.instances.get(report.instance)
    if (instance) {
      if (instance.node === node) observe(tx, instance, report.observed)
    } else {
      succeed(tx, node, report, descent)
    }
  }
}

/**
 * What the whole inventory adds to its reports: an instance that ran and is no longer there has ended without
 * anybody having seen it, and one that was to stop or was given up is gone for certain.
 */
export function applyInventory(
  tx: Transaction,
  node: string,
  reports: readonly InstanceReport[],
  isPartial = false,
): void {
  applyReports(tx, node, reports)
  // Its engine has not told yet what there is: the agent begins anew when it has.
  if (isPartial) return
  const present = presentIn(reports)
  for (const instance of tx.instancesOn(node)) {
    if (present.has(instance.id) || isGone(instance)) continue
    const { state } = instance.observed
    const unwanted = instance.desired === 'stop' || instance.lostAtMs !== null
    const ran = state !== 'assigned' && state !== 'pulling' && state !== 'created'
    if (unwanted) end(tx, instance, 'stopped', 'no longer on its node')
    else if (ran) end(tx, instance, 'failed', 'its container is no longer on the node')
  }
}

function presentIn(reports: readonly InstanceReport[]): ReadonlySet<string> {
  return new Set(reports.flatMap(({ instance, origin }) => [instance, origin]))
}

/**
 * Instances of the node that its inventory lacks and that are given up: they are missing from its full set, too, and
 * so the agent will never have them, nor ever say that they are gone.
 */
export function untoldOf(
  view: ClusterView,
  node: string,
  reports: readonly InstanceReport[],
): string[] {
  const present = presentIn(reports)
  return view
    .instancesOn(node)
    .filter((one) => one.lostAtMs !== null && !isGone(one) && !present.has(one.id))
    .map(({ id }) => id)
}

export function endUntold(tx: Transaction, ids: readonly string[]): void {
  for (const id of ids) {
    const instance = tx.instances.get(id)
    if (instance && !isGone(instance)) end(tx, instance, 'stopped', 'its node was never told of it')
  }
}

function end(
  tx: Transaction,
  instance: Instance,
  state: 'stopped' | 'failed',
  reason: string,
): void {
  observe(tx, instance, {
    ...instance.observed,
    state,
    health: 'unknown',
    reason,
    healthySinceMs: null,
    finishedAtMs: tx.nowMs,
  })
}

function same(a: Observed, b: Observed): boolean {
  return (
    a.state === b.state &&
    a.health === b.health &&
    a.reason === b.reason &&
    a.containerId === b.containerId &&
    a.startedAtMs === b.startedAtMs &&
    a.healthySinceMs === b.healthySinceMs &&
    a.finishedAtMs === b.finishedAtMs &&
    a.exitCode === b.exitCode &&
    a.neverStarted === b.neverStarted
  )
}

function observe(tx: Transaction, instance: Instance, observed: Observed): void {
  if (!mayFollow(instance.observed.state, observed.state) || same(instance.observed, observed))
    return
  tx.putInstance({ ...instance, observed })
  tell(tx, instance, observed)
}

/** Only turns that people care about become events; the steps of a normal start do not. */
function tell(tx: Transaction, instance: Instance, observed: Observed): void {
  const before = instance.observed
  const event = (action: string): void =>
    tx.event({ kind: 'Instance', subject: instance.id, action, reason: observed.reason })
  if (before.state !== observed.state) {
    if (
      observed.state === 'running' ||
      observed.state === 'stopped' ||
      observed.state === 'failed'
    ) {
      event(observed.state)
    }
  }
  if (before.health !== observed.health) {
    if (observed.health === 'healthy') event('healthy')
    else if (observed.health === 'unhealthy' && observed.state === 'running') event('unhealthy')
  }
}

/**
 * The agent went on by itself: the successor takes the place of the one before it when that is still wanted and nobody
 * else has it. Otherwise it is on record, too, as long as it is there: it has its ports, and in the slot it counts.
 */
function succeed(tx: Transaction, node: string, report: InstanceReport, descent: Descent): void {
  const assigned = tx.instances.get(report.origin)
  const origin =
    assigned?.node === node ? newestKnown(tx, assigned, report.instance, descent) : undefined
  if (!origin) return
  const wanted = origin.desired === 'run' && origin.lostAtMs === null
  const isNext = wanted && !isTaken(tx, origin) && !isPassed(tx, node, report)
  const lingers = !isNext && !isOver(report.observed) && !isCrowded(tx, origin)
  if (!isGone(origin)) {
    const reason = `replaced on the spot by ${report.instance}`
    if (wanted || lingers) end(tx, origin, 'failed', reason)
    else end(tx, origin, 'stopped', report.observed.reason)
  }
  if (!isNext && !lingers) return
  const successor: Instance = {
    ...origin,
    id: report.instance,
    desired: isNext ? 'run' : 'stop',
    cause: `replaces ${report.predecessor ?? origin.id}, which failed`,
    predecessor: report.predecessor ?? origin.id,
    attempt: report.attempt,
    startAtMs: report.startAtMs,
    // After the one that it follows, even when our own clock was set back meanwhile.
    createdAtMs: Math.max(tx.nowMs, origin.createdAtMs + 1),
    observed: report.observed,
  }
  tx.putInstance(successor)
  const actor = `node:${node}`
  tx.event({
    kind: 'Instance',
    subject: successor.id,
    action: 'created',
    reason: successor.cause,
    actor,
  })
  const { observed } = successor
  if (observed.state !== 'assigned')
    tell(
      tx,
      { ...successor, observed: { ...observed, state: 'assigned', health: 'unknown' } },
      observed,
    )
}

/** Leftovers of one slot on one node at a time: each ends the one before, unless reports come in no order. */
const maxLingering = 8

function isCrowded(tx: Transaction, { service, slot, node }: Instance): boolean {
  const lingering = tx
    .instancesOf(service)
    .filter((other) => other.slot === slot && other.node === node && other.desired === 'stop')
  return lingering.filter((other) => !isGone(other)).length >= maxLingering
}

const isOver = (observed: Observed): boolean =>
  observed.state === 'stopped' || observed.state === 'failed'

/** How far behind the one that is there an end may be told of: of what is left of an earlier one when it is removed. */
const maxPassed = 64

/** True of an end that is told of only when something that followed it is there. */
function isPassed(tx: Transaction, node: string, { instance, observed }: InstanceReport): boolean {
  if (!isOver(observed)) return false
  let id = instance
  for (let step = 0; step < maxPassed; step++) {
    id = successorInstanceId(id)
    const later = tx.instances.get(id)
    if (later?.node === node && !isGone(later)) return true
  }
  return false
}

/**
 * True when the slot has gone to another instance: as the successor of `origin`, or, of one that was taken for stopped
 * though it was wanted, as any that came after it. What is in the slot beside it, as the old and the new one are during
 * an upgrade, has not taken its place. An exclusive slot has place for one.
 */
function isTaken(tx: Transaction, origin: Instance): boolean {
  const isAlone = tx.revisionOf(origin.service, origin.revision)?.template.exclusive ?? false
  const leftNoSuccessor = origin.observed.state === 'stopped'
  return tx.instancesOf(origin.service).some((other) => {
    if (other.id === origin.id || other.slot !== origin.slot) return false
    if (other.node === null || other.desired !== 'run' || isGone(other)) return false
    if (isAlone && isGone(origin)) return true
    const isAfter = leftNoSuccessor && other.createdAtMs > origin.createdAtMs
    return other.predecessor === origin.id || isAfter
  })
}

/**
 * The last record on the way from `origin` to its successor `id`: an answer of ours that was lost has left the agent
 * with an older origin than we know. Undefined when `id` is no successor.
 */
function newestKnown(
  tx: Transaction,
  origin: Instance,
  id: string,
  descent: Descent,
): Instance | undefined {
  if (!descent.has(id, origin.id)) return undefined
  let newest = origin
  for (const link of descent.between(origin.id, id)) {
    const record = tx.instances.get(link)
    if (record?.node === origin.node) newest = record
  }
  return newest
}
